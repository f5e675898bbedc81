//! CI systems whose jobs are lists of shell commands at known keys.

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::Node;
use crate::scan::source::SourceFile;

/// How many nodes of a document are walked.
const NODES: usize = 20_000;

fn script(node: &Node) -> Option<Step<'_>> {
    let text = texts_of(node).join("\n");
    (!text.is_empty()).then(|| Step {
        name: String::new(),
        span: node.span,
        folder: String::new(),
        action: Action::Script(text),
    })
}

fn one_job<'a>(steps: Vec<Step<'a>>) -> Vec<Job<'a>> {
    vec![Job { name: "pipeline".into(), steps, ..Job::default() }]
}

/// Values at these keys anywhere in the documents, in order of the file.
fn at_keys<'a>(documents: &'a [Node], keys: &[&str]) -> Vec<(&'a Node, &'a Node)> {
    let mut found = Vec::new();
    let mut open: Vec<&Node> = documents.iter().rev().collect();
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        if seen > NODES {
            break;
        }
        for entry in node.entries().iter().filter(|entry| keys.contains(&&*entry.key)) {
            found.push((node, &*entry.value));
        }
        open.extend(node.entries().iter().rev().map(|entry| &*entry.value));
        open.extend(node.items().iter().rev().map(|item| &**item));
    }
    found.sort_by_key(|(_, value)| value.span.start);
    found
}

/// Travis CI.
pub fn travis<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let keys = ["before_script", "script", "after_success", "before_deploy"];
    let mut steps: Vec<Step<'a>> =
        at_keys(documents, &keys).into_iter().filter_map(|(_, value)| script(value)).collect();
    steps.extend(at_keys(documents, &["deploy"]).into_iter().filter_map(|(_, deploy)| travis_deploy(deploy)));
    super::pipeline(file, "travis", one_job(steps))
}

fn travis_deploy(deploy: &Node) -> Option<Step<'_>> {
    let deploy = deploy.items().first().map_or(deploy, |first| first);
    let provider = deploy.get("provider")?;
    let kind = match text_of(provider)?.as_str() {
        "pages" | "npm" => return None,
        "script" => return deploy.get("script").and_then(script),
        "releases" | "cargo" => "publish-image",
        _ => "deploy",
    };
    let name = format!("travis/{kind}");
    let action = Action::Use { name, reference: String::new(), inputs: None, span: provider.span };
    Some(Step { name: String::new(), span: provider.span, folder: String::new(), action })
}

/// Azure Pipelines.
pub fn azure<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let mut steps = Vec::new();
    for (step, value) in at_keys(documents, &["script", "bash", "pwsh", "powershell", "task", "template"]) {
        match (step.get("task"), step.get("template")) {
            (Some(task), _) => steps.extend(azure_task(task, step.get("inputs"))),
            (None, Some(template)) => steps.extend(azure_template(file, template)),
            (None, None) => steps.extend(script(value)),
        }
    }
    super::pipeline(file, "azure", one_job(steps))
}

/// A template of the tree, relative to the file that uses it, or one of another repository.
fn azure_template<'a>(file: &SourceFile, template: &'a Node) -> Option<Step<'a>> {
    let name = text_of(template)?;
    let folder = if name.starts_with('/') { "" } else { file.folder() };
    let local = format!("./{}", super::super::resolve::join(folder, name.trim_end_matches("@self")));
    let action = match name.split_once('@') {
        Some((_, repository)) if repository != "self" => Action::Elsewhere(name),
        _ => Action::Use { name: local, reference: String::new(), inputs: None, span: template.span },
    };
    Some(Step { name: String::new(), span: template.span, folder: String::new(), action })
}

/// Tasks of Azure Pipelines, as actions that are known by name.
const AZURE_TASKS: &[(&str, &str)] = &[
    ("AzureWebApp", "azure/webapps-deploy"),
    ("AzureRmWebAppDeployment", "azure/webapps-deploy"),
    ("AzureContainerApps", "azure/container-apps-deploy-action"),
    ("KubernetesManifest", "azure/k8s-deploy"),
    ("HelmDeploy", "azure/k8s-deploy"),
    ("AzureFunctionApp", "azure/webapps-deploy"),
];

fn azure_task<'a>(task: &'a Node, inputs: Option<&'a Node>) -> Option<Step<'a>> {
    let name = text_of(task)?;
    let plain = name.split('@').next().unwrap_or(&name);
    let command = inputs.and_then(|inputs| inputs.get("command")).and_then(text_of).unwrap_or_default();
    if let Some(text) = inputs.and_then(|inputs| inputs.get("script").or_else(|| inputs.get("inlineScript"))) {
        return script(text);
    }
    let known = AZURE_TASKS.iter().find(|(task, _)| *task == plain).map(|(_, action)| *action);
    let docker = (plain == "Docker" && command.to_ascii_lowercase().contains("push"))
        .then_some("redhat-actions/push-to-registry");
    let action = Action::Use { name: known.or(docker)?.into(), reference: String::new(), inputs, span: task.span };
    Some(Step { name: String::new(), span: task.span, folder: String::new(), action })
}

fn of_keys<'a>(file: &'a SourceFile, documents: &'a [Node], system: &'static str, keys: &[&str]) -> Pipeline<'a> {
    let steps = at_keys(documents, keys).into_iter().filter_map(|(_, value)| script(value)).collect();
    super::pipeline(file, system, one_job(steps))
}

/// Buildkite.
pub fn buildkite<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let mut pipeline = of_keys(file, documents, "buildkite", &["command", "commands"]);
    // A script that prints steps for an agent to upload is a program; what it prints is not seen.
    let uploads = |step: &Step<'a>| match &step.action {
        Action::Script(text) => text.contains("| buildkite-agent pipeline upload"),
        _ => false,
    };
    for job in &mut pipeline.jobs {
        let spans: Vec<_> = job.steps.iter().filter(|step| uploads(step)).map(|step| step.span).collect();
        job.steps.extend(spans.into_iter().map(|span| super::elsewhere("generated pipeline", span)));
    }
    pipeline
}

/// Bitbucket Pipelines.
pub fn bitbucket<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    of_keys(file, documents, "bitbucket", &["script"])
}

/// AWS CodeBuild.
pub fn code_build<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    of_keys(file, documents, "codebuild", &["commands"])
}

/// Semaphore.
pub fn semaphore<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    of_keys(file, documents, "semaphore", &["commands"])
}

/// Cirrus CI.
pub fn cirrus<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let keys = ["script", "test_script", "build_script", "check_script", "deploy_script", "publish_script"];
    of_keys(file, documents, "cirrus", &keys)
}

/// AppVeyor.
pub fn appveyor<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    of_keys(file, documents, "appveyor", &["build_script", "test_script", "deploy_script", "cmd", "ps", "sh"])
}

/// SourceHut.
pub fn sourcehut<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let tasks = documents.iter().flat_map(|root| root.get("tasks").map(Node::items).unwrap_or_default());
    let steps = tasks.flat_map(|task| task.entries()).filter_map(|entry| script(&entry.value)).collect();
    super::pipeline(file, "sourcehut", one_job(steps))
}

/// Google Cloud Build: a step is a builder image with arguments.
pub fn cloud_build<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for step in documents.iter().flat_map(|root| root.get("steps").map(Node::items).unwrap_or_default()) {
        let builder = step.get("name").and_then(text_of).unwrap_or_default();
        let program = step.get("entrypoint").and_then(text_of).unwrap_or_else(|| builder_program(&builder).into());
        let words = step.get("args").map(texts_of).unwrap_or_default();
        let quoted = words.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { word.clone() });
        let line = format!("{program} {}", quoted.collect::<Vec<_>>().join(" "));
        steps.push(Step { name: String::new(), span: step.span, folder: String::new(), action: Action::Script(line) });
    }
    for images in documents.iter().filter_map(|root| root.get("images")) {
        let lines: Vec<String> = texts_of(images).iter().map(|image| format!("docker push {image}")).collect();
        let action = Action::Script(lines.join("\n"));
        steps.push(Step { name: String::new(), span: images.span, folder: String::new(), action });
    }
    super::pipeline(file, "cloud-build", one_job(steps))
}

fn builder_program(builder: &str) -> &str {
    let name = builder.rsplit('/').next().unwrap_or(builder);
    match name.split([':', '@']).next().unwrap_or(name) {
        "cloud-sdk" => "gcloud",
        "rust" => "cargo",
        name => name,
    }
}
