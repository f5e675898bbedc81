//! One small real-looking file for each reader, and how that format nests.

/// A file of one format.
pub struct Sample {
    /// What the format is called.
    pub name: &'static str,
    /// Where such a file stands.
    pub path: &'static str,
    /// A file that is read without a notice.
    pub text: &'static str,
    /// What starts a comment; empty where the format has none.
    pub comment: &'static str,
    /// Nested this many levels; `None` where the format does not nest.
    pub deep: Option<fn(usize) -> String>,
}

fn pairs(open: &str, inside: &str, close: &str, levels: usize) -> String {
    format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
}

fn flow(key: &str, levels: usize) -> String {
    format!("{key}: {}\n", pairs("[", "", "]", levels))
}

/// A sample of every reader.
pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "Dockerfile",
        path: "deploy/Dockerfile",
        text: "ARG BASE=debian:12-slim\nFROM rust:1.88 AS build\nWORKDIR /app\nCOPY . .\nRUN cargo build --release \\\n    --locked\nFROM ${BASE}\nCOPY --from=build /app/target/release/shop /usr/bin/shop\nENV PORT=3000\nUSER 1000:1000\nHEALTHCHECK CMD curl -f http://localhost:3000/health\nENTRYPOINT [\"shop\", \"serve\"]\n",
        comment: "# ",
        deep: Some(|levels| format!("FROM debian:12\nRUN {}\n", pairs("$(", "true", ")", levels))),
    },
    Sample {
        name: ".dockerignore",
        path: ".dockerignore",
        text: "target\n**/.env\n!.env.example\n",
        comment: "# ",
        deep: Some(|levels| format!("{}target\n", "**/".repeat(levels))),
    },
    Sample {
        name: "compose",
        path: "compose.yaml",
        text: "services:\n  shop:\n    image: shop:1.2.3\n    ports:\n      - \"3000:3000\"\n    environment:\n      LOG_LEVEL: info\n    healthcheck:\n      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost:3000/health\"]\n  db:\n    image: postgres:17\n",
        comment: "# ",
        deep: Some(|levels| flow("services", levels)),
    },
    Sample {
        name: "Kubernetes",
        path: "k8s/api.yaml",
        text: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: 2\n  selector:\n    matchLabels: { app: shop }\n  template:\n    metadata:\n      labels: { app: shop }\n    spec:\n      containers:\n        - name: shop\n          image: shop:1.2.3\n          livenessProbe:\n            httpGet: { path: /health, port: 3000 }\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: shop\nspec:\n  ports:\n    - port: 80\n",
        comment: "# ",
        deep: Some(|levels| format!("apiVersion: apps/v1\nkind: Deployment\nspec:\n  {}", flow("template", levels))),
    },
    Sample {
        name: "Kustomize",
        path: "k8s/overlay/kustomization.yaml",
        text: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../api.yaml\nimages:\n  - name: shop\n    newTag: 1.2.4\n",
        comment: "# ",
        deep: Some(|levels| flow("resources", levels)),
    },
    Sample {
        name: "Helm template",
        path: "chart/templates/api.yaml",
        text: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include \"shop.name\" . }}\n  labels:\n    {{- toYaml .Values.labels | nindent 4 }}\nspec:\n  replicas: {{ .Values.replicas | default 2 }}\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: \"shop:{{ .Values.tag }}\"\n          {{- if .Values.probe }}\n          livenessProbe:\n            httpGet: { path: /health, port: 3000 }\n          {{- end }}\n",
        comment: "# ",
        deep: Some(|levels| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\n{}a: 1\n{}",
                "{{ if .Values.a }}\n".repeat(levels),
                "{{ end }}\n".repeat(levels)
            )
        }),
    },
    Sample {
        name: "Helm values",
        path: "chart/values.yaml",
        text: "replicas: 2\ntag: 1.2.3\nlabels: { app: shop }\nprobe: true\n",
        comment: "# ",
        deep: Some(|levels| flow("labels", levels)),
    },
    Sample {
        name: "GitHub Actions",
        path: ".github/workflows/ci.yml",
        text: "name: ci\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: cargo test --locked\n      - run: |\n          cargo audit\n          docker push shop:${{ github.sha }}\n",
        comment: "# ",
        deep: Some(|levels| format!("on: push\n{}", flow("jobs", levels))),
    },
    Sample {
        name: "GitLab CI",
        path: ".gitlab-ci.yml",
        text: "stages: [test, deploy]\n.rust:\n  image: rust:1.88\ntest:\n  extends: .rust\n  stage: test\n  script:\n    - cargo test\ndeploy:\n  stage: deploy\n  script:\n    - kubectl apply -f k8s/\n",
        comment: "# ",
        deep: Some(|levels| flow("test", levels)),
    },
    Sample {
        name: "CircleCI",
        path: ".circleci/config.yml",
        text: "version: 2.1\njobs:\n  test:\n    docker:\n      - image: cimg/rust:1.88\n    steps:\n      - checkout\n      - run: cargo test\nworkflows:\n  main:\n    jobs: [test]\n",
        comment: "# ",
        deep: Some(|levels| flow("jobs", levels)),
    },
    Sample {
        name: "Woodpecker",
        path: ".woodpecker.yml",
        text: "steps:\n  test:\n    image: rust:1.88\n    commands:\n      - cargo test\n",
        comment: "# ",
        deep: Some(|levels| flow("steps", levels)),
    },
    Sample {
        name: "Jenkinsfile",
        path: "Jenkinsfile",
        text: "pipeline {\n  agent any\n  stages {\n    stage('test') {\n      steps {\n        sh 'cargo test'\n      }\n    }\n  }\n}\n",
        comment: "// ",
        deep: Some(|levels| pairs("stage('a') {", "", "}", levels)),
    },
    Sample {
        name: "Azure Pipelines",
        path: "azure-pipelines.yml",
        text: "trigger: [main]\nsteps:\n  - script: cargo test\n    displayName: test\n",
        comment: "# ",
        deep: Some(|levels| flow("steps", levels)),
    },
    Sample {
        name: "Buildkite",
        path: ".buildkite/pipeline.yml",
        text: "steps:\n  - label: test\n    command: cargo test\n  - wait\n  - label: deploy\n    commands:\n      - kubectl apply -f k8s/\n",
        comment: "# ",
        deep: Some(|levels| flow("steps", levels)),
    },
    Sample {
        name: "Terraform",
        path: "infra/main.tf",
        text: "resource \"aws_db_instance\" \"shop\" {\n  engine                  = \"postgres\"\n  backup_retention_period = 14\n  deletion_protection     = true\n}\n\nvariable \"region\" {\n  default = \"eu-west-1\"\n}\n",
        comment: "# ",
        deep: Some(|levels| pairs("a {\n", "", "}\n", levels)),
    },
    Sample {
        name: ".env",
        path: ".env.example",
        text: "DATABASE_URL=postgres://localhost/shop\nLOG_LEVEL=\"info\"\nexport PORT=3000\n",
        comment: "# ",
        deep: Some(|levels| format!("A={}\n", pairs("${A:-", "x", "}", levels))),
    },
    Sample {
        name: "systemd unit",
        path: "deploy/shop.service",
        text: "[Unit]\nDescription=shop\n\n[Service]\nExecStart=/usr/bin/shop serve\nUser=shop\nRestart=always\n",
        comment: "# ",
        deep: None,
    },
    Sample {
        name: "properties",
        path: "config/app.properties",
        text: "server.port = 3000\nlogging.level = info\n",
        comment: "# ",
        deep: Some(|levels| format!("{}a = 1\n", "a.".repeat(levels))),
    },
    Sample {
        name: "TOML",
        path: "fly.toml",
        text: "app = \"shop\"\nprimary_region = \"ams\"\n\n[http_service]\ninternal_port = 3000\nforce_https = true\n\n[[http_service.checks]]\npath = \"/health\"\n",
        comment: "# ",
        deep: Some(|levels| format!("app = {}\n", pairs("[", "", "]", levels))),
    },
    Sample {
        name: "JSON",
        path: "deploy/task-definition.json",
        text: "{\n  \"family\": \"shop\",\n  \"containerDefinitions\": [\n    {\n      \"name\": \"shop\",\n      \"image\": \"shop:1.2.3\",\n      \"memory\": 512,\n      \"portMappings\": [{ \"containerPort\": 3000 }]\n    }\n  ]\n}\n",
        comment: "// ",
        deep: Some(|levels| pairs("[", "", "]", levels)),
    },
    Sample {
        name: "JSON5",
        path: "renovate.json5",
        text: "{\n  // what is kept fresh\n  extends: [\"config:recommended\"],\n}\n",
        comment: "// ",
        deep: Some(|levels| pairs("{a:", "1", "}", levels)),
    },
    Sample {
        name: "nginx",
        path: "deploy/nginx.conf",
        text: "http {\n  server {\n    listen 443 ssl;\n    add_header X-Frame-Options DENY always;\n    location / {\n      proxy_pass http://shop:3000;\n    }\n  }\n}\n",
        comment: "# ",
        deep: Some(|levels| pairs("location / {\n", "", "}\n", levels)),
    },
    Sample {
        name: "Caddyfile",
        path: "deploy/Caddyfile",
        text: "shop.example {\n  encode gzip\n  header Strict-Transport-Security max-age=31536000\n  reverse_proxy shop:3000\n}\n",
        comment: "# ",
        deep: Some(|levels| pairs("handle {\n", "", "}\n", levels)),
    },
    Sample {
        name: "Traefik",
        path: "deploy/traefik.yml",
        text: "http:\n  routers:\n    shop:\n      rule: Host(`shop.example`)\n      service: shop\n  middlewares:\n    limit:\n      rateLimit: { average: 100 }\n",
        comment: "# ",
        deep: Some(|levels| flow("http", levels)),
    },
    Sample {
        name: "OpenAPI",
        path: "openapi.yaml",
        text: "openapi: 3.1.0\ninfo: { title: shop, version: 1.0.0 }\npaths:\n  /orders:\n    get:\n      responses:\n        \"200\": { description: all orders }\n",
        comment: "# ",
        deep: Some(|levels| format!("openapi: 3.1.0\n{}", flow("paths", levels))),
    },
    Sample {
        name: "SQL",
        path: "migrations/1_orders.sql",
        text: "CREATE TABLE orders (\n  id BIGINT PRIMARY KEY,\n  customer BIGINT NOT NULL,\n  note TEXT DEFAULT 'none'\n);\nCREATE INDEX orders_customer ON orders (customer);\n",
        comment: "-- ",
        deep: Some(|levels| format!("SELECT {};\n", pairs("(", "1", ")", levels))),
    },
    Sample {
        name: "Markdown",
        path: "docs/runbook.md",
        text: "# Runbook\n\n## Restore a backup\n\n1. Stop the service\n2. `pg_restore -d shop dump`\n\n| alert | what to do |\n|---|---|\n| down | restart |\n",
        comment: "",
        deep: Some(|levels| format!("{}deep\n", "> ".repeat(levels))),
    },
    Sample {
        name: "justfile",
        path: "justfile",
        text: "image := \"shop\"\n\ntest: lint\n    cargo test\n\nlint:\n    cargo clippy\n",
        comment: "# ",
        deep: Some(|levels| {
            let recipe = |at: usize| format!("r{at}: r{}\n", at + 1);
            (0..levels).map(recipe).collect()
        }),
    },
    Sample {
        name: "Makefile",
        path: "Makefile",
        text: "IMAGE ?= shop\n.PHONY: test\ntest: lint\n\tcargo test\nlint:\n\tcargo clippy\n",
        comment: "# ",
        deep: Some(|levels| format!("A = {}\n", pairs("$(", "A", ")", levels))),
    },
    Sample {
        name: "shell",
        path: "scripts/deploy.sh",
        text: "#!/bin/sh\nset -eu\ncargo test\nif [ \"$1\" = prod ]; then\n  kubectl apply -f k8s/\nfi\n",
        comment: "# ",
        deep: Some(|levels| format!("#!/bin/sh\n{}\n", pairs("$(", "true", ")", levels))),
    },
];
