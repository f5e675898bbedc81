//! Files that lead to each other in circles: each circle ends, and what stands on it is still seen.

use crate::support::{json_of, prodcheck, service, write};

/// What leads in a circle, the files, and a kind of fact that one of them shows all the same.
type Circle = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const CIRCLES: &[Circle] = &[
    (
        "recipes of several runners",
        &[
            (".github/workflows/ci.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: just all\n"),
            ("justfile", "all: test\n    make all\ntest: all\n    npm run all\n"),
            ("Makefile", "all: more\n\tjust all\n\t./all.sh\nmore: all\n\tmake more\n"),
            ("all.sh", "#!/bin/sh\n./all.sh\njust test\ncargo make all\ntask all\ncargo all\n"),
            ("package.json", "{\"scripts\": {\"all\": \"npm run more\", \"more\": \"npm run all && make more\"}}\n"),
            ("Makefile.toml", "[tasks.all]\ndependencies = [\"all\", \"more\"]\n[tasks.more]\nrun_task = \"all\"\n"),
            ("Taskfile.yml", "tasks:\n  all:\n    cmds:\n      - task: all\n      - task all\n"),
            (".cargo/config.toml", "[alias]\nall = \"more\"\nmore = [\"all\"]\n"),
            ("last.sh", "cargo test\n"),
            (".woodpecker.yml", "steps:\n  a:\n    image: x\n    commands: [just all, sh last.sh]\n"),
        ],
        "ci_step",
    ),
    (
        "workflows and actions",
        &[
            (
                ".github/workflows/a.yml",
                "on: [push, workflow_call]\njobs:\n  b:\n    uses: ./.github/workflows/b.yml\n  c:\n    needs: [d]\n    runs-on: x\n    steps:\n      - uses: ./.github/actions/one\n  d:\n    needs: [c]\n    runs-on: x\n    steps:\n      - run: cargo test\n",
            ),
            (".github/workflows/b.yml", "on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/a.yml\n"),
            (
                ".github/actions/one/action.yml",
                "runs:\n  using: composite\n  steps:\n    - uses: ./.github/actions/two\n",
            ),
            (
                ".github/actions/two/action.yml",
                "runs:\n  using: composite\n  steps:\n    - uses: ./.github/actions/one\n",
            ),
        ],
        "ci_step",
    ),
    (
        "GitLab",
        &[
            (
                ".gitlab-ci.yml",
                "include:\n  - local: .gitlab-ci.yml\n  - local: ci/more.yml\n.a:\n  extends: .b\n.b:\n  extends: [.a, .b]\n  script: !reference [.c, script]\n.c:\n  script: !reference [.b, script]\ntest:\n  extends: .a\n  needs: [test]\nreal:\n  script: [cargo test]\n",
            ),
            ("ci/more.yml", "include: .gitlab-ci.yml\n"),
        ],
        "ci_step",
    ),
    (
        "CircleCI",
        &[(
            ".circleci/config.yml",
            "version: 2.1\ncommands:\n  one:\n    steps: [two]\n  two:\n    steps: [one, { run: cargo test }]\njobs:\n  test:\n    steps: [one]\nworkflows:\n  w:\n    jobs:\n      - test: { requires: [test] }\n",
        )],
        "ci_step",
    ),
    (
        "kustomizations",
        &[
            ("k8s/base/kustomization.yaml", "resources: [../overlay, api.yaml]\ncomponents: [.]\n"),
            ("k8s/overlay/kustomization.yaml", "resources: [../base]\npatches: [{ path: kustomization.yaml }]\n"),
            (
                "k8s/base/api.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: shop }\nspec:\n  template:\n    spec:\n      containers: [{ name: shop, image: \"shop:1\" }]\n",
            ),
        ],
        "workload",
    ),
    (
        "named templates",
        &[
            (
                "chart/Chart.yaml",
                "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n  - { name: shop, repository: \"file://.\" }\n",
            ),
            ("chart/values.yaml", "name: \"{{ .Values.name }}\"\nreplicas: 2\n"),
            (
                "chart/templates/_helpers.tpl",
                "{{- define \"a\" }}{{ include \"b\" . }}{{ end }}\n{{- define \"b\" }}{{ template \"a\" . }}{{ tpl .Values.name . }}{{ end }}\n{{- define \"c\" }}\n{{- range .Values }}{{ include \"c\" . }}{{ end }}{{ end }}\n",
            ),
            (
                "chart/templates/api.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include \"a\" . }}\n  labels: {{- include \"c\" . | nindent 4 }}\nspec:\n  replicas: {{ .Values.replicas }}\n  template:\n    spec:\n      {{- include \"b\" . | nindent 6 }}\n      containers:\n        - name: shop\n          image: \"shop:{{ tpl .Values.name . }}\"\n",
            ),
        ],
        "workload",
    ),
    (
        "compose",
        &[(
            "compose.yaml",
            "include: [compose.yaml]\nx-a: &a\n  b: *a\nservices:\n  shop:\n    <<: *a\n    extends: { file: compose.yaml, service: db }\n    image: shop:1\n    depends_on: [db]\n  db:\n    extends: shop\n    depends_on: [shop]\n    env_file: compose.yaml\n",
        )],
        "compose_service",
    ),
    (
        "proxies",
        &[
            (
                "nginx.conf",
                "include nginx.conf;\nhttp {\n  include nginx.conf;\n  server {\n    listen 80;\n    location / { proxy_pass http://shop; limit_req zone=a; }\n  }\n}\n",
            ),
            (
                "Caddyfile",
                "(a) {\n  import b\n}\n(b) {\n  import a\n}\nshop.example {\n  import a\n  import Caddyfile\n  reverse_proxy shop:3000\n}\n",
            ),
        ],
        "",
    ),
    (
        "an image",
        &[(
            "images/Dockerfile",
            "ARG A=${B}\nARG B=${A}\nFROM ${A} AS one\nFROM two AS two\nCOPY --from=three / /\nFROM one AS three\nCOPY --from=two / /\nCOPY --from=three / /\nENV PATH=$PATH:${PATH}\n",
        )],
        "image",
    ),
    (
        "Terraform",
        &[
            (
                "infra/main.tf",
                "module \"a\" {\n  source = \"./b\"\n  x = module.a.x\n}\nlocals {\n  a = local.b\n  b = local.a\n}\nvariable \"c\" { default = \"${var.c}\" }\nresource \"aws_db_instance\" \"db\" {\n  engine = \"postgres\"\n  backup_retention_period = local.a\n}\n",
            ),
            ("infra/b/main.tf", "module \"a\" { source = \"../\" }\nmodule \"self\" { source = \"./\" }\n"),
        ],
        "backup",
    ),
    (
        "variables and references",
        &[
            (".env.example", "A=${B}\nB=${A}\nC=$C\n"),
            (
                "openapi.yaml",
                "openapi: 3.1.0\npaths:\n  /orders: { $ref: \"#/paths/~1orders\" }\ncomponents:\n  schemas:\n    A: { $ref: \"#/components/schemas/B\" }\n    B: { $ref: \"#/components/schemas/A\" }\n",
            ),
            ("deploy/self.yaml", "a: &a\n  - *a\n  - &b { <<: *b, c: *a }\nd: &d [*b, *d]\n"),
            ("docs/index.md", "[a](index.md)\n\n[b]: #b\n"),
        ],
        "",
    ),
];

#[test]
fn every_circle_ends() {
    for (name, files, kind) in CIRCLES {
        let folder = service();
        for (path, text) in *files {
            write(folder.path(), path, text);
        }
        let run = json_of(folder.path());
        assert!(run.code < 2, "{name}: exit {}: {}", run.code, run.err);
        assert_eq!(run.json()["services"][0]["routes"][0]["path"], "/orders", "{name}");
        if !kind.is_empty() {
            let facts =
                prodcheck(&["facts", "--kind", kind, "--format", "json", folder.path().to_str().unwrap()]).json();
            let seen = |fact: &serde_json::Value| files.iter().any(|(path, _)| fact["path"] == *path);
            assert!(facts["facts"].as_array().unwrap().iter().any(seen), "{name}: no {kind} is seen");
        }
    }
}
