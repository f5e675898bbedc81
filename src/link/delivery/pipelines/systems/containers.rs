//! CI systems whose steps are containers: Woodpecker and Drone.

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::Node;
use crate::scan::source::SourceFile;

/// Reads a Woodpecker workflow.
pub fn woodpecker<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    super::pipeline(file, "woodpecker", jobs(documents))
}

/// Reads Drone pipelines.
pub fn drone<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    super::pipeline(file, "drone", jobs(documents))
}

/// One job a document: its steps run one after the other.
fn jobs(documents: &[Node]) -> Vec<Job<'_>> {
    let job = |root| Job {
        name: Node::get(root, "name").and_then(text_of).unwrap_or_default(),
        needs: root.get("depends_on").map(texts_of).unwrap_or_default(),
        steps: steps(root),
        ..Job::default()
    };
    documents.iter().map(job).collect()
}

fn steps(root: &Node) -> Vec<Step<'_>> {
    let Some(steps) = root.get("steps").or_else(|| root.get("pipeline")) else { return Vec::new() };
    match steps.items() {
        [] => steps.entries().iter().flat_map(|entry| step(&entry.value)).collect(),
        items => items.iter().flat_map(|item| step(item)).collect(),
    }
}

fn step(node: &Node) -> Vec<Step<'_>> {
    let commands = node.get("commands").map(|commands| (commands, Action::Script(texts_of(commands).join("\n"))));
    let image = node.get("image").and_then(|image| Some((image, text_of(image)?)));
    let settings = node.get("settings");
    let plugin = image.filter(|_| commands.is_none()).map(|(node, image)| (node, Action::Plugin { image, settings }));
    let to_step =
        |(node, action): (&Node, _)| Step { name: String::new(), span: node.span, folder: String::new(), action };
    commands.into_iter().chain(plugin).map(to_step).collect()
}
