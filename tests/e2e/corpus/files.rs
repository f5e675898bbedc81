//! Files of twelve types, each with some plants among ordinary lines.

use super::{File, Numbers, Plant};

/// Plants in one file.
const IN_ONE: usize = 14;

/// How a name is written.
#[derive(Clone, Copy)]
enum Style {
    Upper,
    Snake,
    Kebab,
    Camel,
    Dotted,
}

impl Style {
    fn write(self, name: &str) -> String {
        match self {
            Style::Upper => name.to_ascii_uppercase(),
            Style::Snake => name.to_string(),
            Style::Kebab => name.replace('_', "-"),
            Style::Dotted => name.replacen('_', ".", 1).replace('_', "-"),
            Style::Camel => {
                let mut words = name.split('_');
                let first = words.next().unwrap_or("").to_string();
                words.fold(first, |mut all, word| {
                    let (head, tail) = word.split_at(1.min(word.len()));
                    all.push_str(&head.to_ascii_uppercase());
                    all.push_str(tail);
                    all
                })
            }
        }
    }
}

/// A type of file: path, first lines, the forms in which a line holds a value, an ordinary line, last lines.
struct Type {
    path: &'static str,
    head: &'static str,
    forms: &'static [(Style, &'static str)],
    ordinary: &'static [&'static str],
    foot: &'static str,
    /// What stands between two entries and not after the last.
    between: &'static str,
    /// Escapes quotes and backslashes.
    quoted: bool,
}

const TYPES: &[Type] = &[
    Type {
        path: "src/settings/part_N.rs",
        head: "//! Settings of this part of the orders service.\n\nuse std::time::Duration;\n\npub const MAX_RETRIES: u32 = 5;\n",
        forms: &[
            (Style::Upper, "pub const NAME: &str = \"VALUE\";"),
            (Style::Upper, "static NAME: &'static str = \"VALUE\";"),
            (
                Style::Snake,
                "pub fn NAME_of_service() -> Client { Client::new(Settings { NAME: \"VALUE\".to_string() }) }",
            ),
        ],
        ordinary: &["pub const TIMEOUT_N: Duration = Duration::from_secs(30);", "pub const PAGE_N: usize = 50;"],
        foot: "\npub fn timeout() -> Duration {\n    Duration::from_secs(30)\n}\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "config/part_N.yaml",
        head: "server:\n  host: 0.0.0.0\n  port: 8080\nsettings:\n",
        forms: &[
            (Style::Snake, "  NAME: \"VALUE\""),
            (Style::Camel, "  NAME: \"VALUE\""),
            (Style::Kebab, "  NAME: \"VALUE\""),
        ],
        ordinary: &["  workers_N: 4", "  log_level_N: info"],
        foot: "telemetry:\n  enabled: true\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "config/part_N.toml",
        head: "[server]\nhost = \"0.0.0.0\"\nport = 8080\n\n[settings]\n",
        forms: &[(Style::Snake, "NAME = \"VALUE\""), (Style::Kebab, "NAME = \"VALUE\"")],
        ordinary: &["workers_N = 4", "log_level_N = \"info\""],
        foot: "\n[telemetry]\nenabled = true\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "config/part_N.json",
        head: "{\n  \"server\": { \"host\": \"0.0.0.0\", \"port\": 8080 },\n  \"settings\": {\n",
        forms: &[(Style::Camel, "    \"NAME\": \"VALUE\""), (Style::Snake, "    \"NAME\": \"VALUE\"")],
        ordinary: &["    \"workers_N\": 4", "    \"log_level_N\": \"info\""],
        foot: "\n  }\n}\n",
        between: ",",
        quoted: true,
    },
    Type {
        path: "services/part_N/.env",
        head: "# settings of this part\nPORT=8080\nRUST_LOG=info\n",
        forms: &[(Style::Upper, "NAME=VALUE"), (Style::Upper, "NAME=\"VALUE\"")],
        ordinary: &["WORKERS_N=4", "LOG_LEVEL_N=info"],
        foot: "",
        between: "",
        quoted: false,
    },
    Type {
        path: "config/part_N.properties",
        head: "server.port=8080\nserver.host=0.0.0.0\n",
        forms: &[(Style::Dotted, "NAME=VALUE"), (Style::Dotted, "NAME = VALUE")],
        ordinary: &["worker.N.count=4", "log.N.level=info"],
        foot: "",
        between: "",
        quoted: false,
    },
    Type {
        path: "images/part_N/Dockerfile",
        head: "FROM debian:bookworm-slim\nWORKDIR /srv\nCOPY orders /srv/orders\n",
        forms: &[(Style::Upper, "ENV NAME=\"VALUE\""), (Style::Upper, "ENV NAME=VALUE")],
        ordinary: &["ENV WORKERS_N=4", "EXPOSE 8080"],
        foot: "USER 1000\nCMD [\"/srv/orders\"]\n",
        between: "",
        quoted: false,
    },
    Type {
        path: "deploy/part_N.yaml",
        head: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: orders\nspec:\n  template:\n    spec:\n      containers:\n        - name: orders\n          image: registry.acme.io/orders:1.4.2\n          env:\n",
        forms: &[
            (Style::Upper, "            - { name: NAME, value: \"VALUE\" }"),
            (Style::Upper, "            - name: NAME\n              value: \"VALUE\""),
        ],
        ordinary: &["            - { name: WORKERS_N, value: \"4\" }"],
        foot: "          ports:\n            - containerPort: 8080\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "infra/part_N.tf",
        head: "resource \"orders_service\" \"main\" {\n  region = \"eu-west-1\"\n",
        forms: &[(Style::Snake, "  NAME = \"VALUE\"")],
        ordinary: &["  workers_N = 4"],
        foot: "}\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "scripts/part_N.sh",
        head: "#!/usr/bin/env bash\nset -euo pipefail\ncd \"$(dirname \"$0\")\"\n",
        forms: &[(Style::Upper, "export NAME=\"VALUE\""), (Style::Upper, "NAME='VALUE'")],
        ordinary: &["echo \"step N\"", "WORKERS_N=4"],
        foot: "exec ./orders\n",
        between: "",
        quoted: false,
    },
    Type {
        path: "web/src/part_N.ts",
        head: "import { start } from './start';\n\n",
        forms: &[
            (Style::Camel, "export const NAME = 'VALUE';"),
            (Style::Upper, "const NAME: string = \"VALUE\";"),
            (Style::Camel, "start({ NAME: 'VALUE' });"),
        ],
        ordinary: &["export const workers_N = 4;"],
        foot: "\nstart({ port: 8080 });\n",
        between: "",
        quoted: true,
    },
    Type {
        path: "tools/part_N.py",
        head: "\"\"\"Settings of this part.\"\"\"\n\nimport os\n\nPORT = 8080\n",
        forms: &[(Style::Upper, "NAME = \"VALUE\""), (Style::Snake, "settings = dict(NAME='VALUE')")],
        ordinary: &["WORKERS_N = 4"],
        foot: "\nDEBUG = os.environ.get(\"DEBUG\") == \"1\"\n",
        between: "",
        quoted: true,
    },
];

/// Files for all plants: the types in turn, so that every kind comes to stand in files of many types.
pub fn of(plants: Vec<Plant>, numbers: &mut Numbers) -> Vec<File> {
    let mut by_type: Vec<Vec<Plant>> = TYPES.iter().map(|_| Vec::new()).collect();
    let mut turn: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for plant in plants {
        let first = TYPES.len() * turn.len() / 7;
        let at = turn.entry(plant.label.clone()).or_insert(first);
        by_type[*at % TYPES.len()].push(plant);
        *at += 1;
    }
    let mut files = Vec::new();
    for (kind, plants) in TYPES.iter().zip(by_type) {
        for part in plants.chunks(IN_ONE) {
            files.push(one(kind, part, files.len(), numbers));
        }
    }
    files
}

fn one(kind: &Type, plants: &[Plant], number: usize, numbers: &mut Numbers) -> File {
    let mut text = kind.head.to_string();
    let mut truth = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for (at, plant) in plants.iter().enumerate() {
        if numbers.below(3) == 0 {
            let ordinary = kind.ordinary[numbers.below(kind.ordinary.len())].replace('N', &at.to_string());
            text.push_str(&format!("{ordinary}{}\n", kind.between));
        }
        // The same name twice in a file would be a mistake in most formats.
        let mut name = plant.name.clone();
        for part in ["billing", "search", "mail", "ledger", "export", "stock", "audit", "media"] {
            if !names.contains(&name) {
                break;
            }
            name = format!("{part}_{}", plant.name);
        }
        names.insert(name.clone());
        let (style, form) = kind.forms[numbers.below(kind.forms.len())];
        let value =
            if kind.quoted { plant.value.replace('\\', "\\\\").replace('"', "\\\"") } else { plant.value.clone() };
        // A value with blanks or signs of the shell stands in quotes.
        let form = if value.contains([' ', '$', '#', ';', '&', '\'']) { kind.forms[0].1 } else { form };
        let entry = form.replace("NAME", &style.write(&name)).replace("VALUE", &value);
        let last = at + 1 == plants.len();
        text.push_str(&format!("{entry}{}\n", if last { "" } else { kind.between }));
        let before = text.lines().count();
        truth.push((u32::try_from(before).unwrap(), plant.label.clone(), plant.secret));
    }
    text.push_str(kind.foot);
    File { path: kind.path.replace('N', &number.to_string()), text, truth }
}
