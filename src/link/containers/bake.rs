//! docker-bake files: which image is built from which Dockerfile.

use std::collections::BTreeMap;

use super::owner::Owner;
use super::{Deployment, known};
use crate::facts::Attr;
use crate::facts::vocabulary::ImageBuild;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::SourceFile;

/// How deep targets that inherit from targets are followed.
const DEPTH: usize = 8;

/// A bake file: its targets and the defaults of its variables.
struct Bake<'a> {
    file: &'a SourceFile,
    root: &'a Node,
    variables: BTreeMap<&'a str, String>,
}

/// Learns whose the images are, and adds a fact for each tag of each target.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let context = deployment.context;
    for (file, parsed) in context.repository.files() {
        let Syntax::Documents(documents) = &parsed.syntax else { continue };
        let Some(root) = documents.first().filter(|_| is_bake(file)) else { continue };
        let bake = Bake { file, root, variables: variables(root) };
        for target in root.get("target").map_or(&[][..], Node::entries) {
            bake.target(deployment, target);
        }
    }
}

fn is_bake(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    name.starts_with("docker-bake.") && (name.ends_with(".hcl") || name.ends_with(".json"))
}

fn variables(root: &Node) -> BTreeMap<&str, String> {
    let entries = root.get("variable").map_or(&[][..], Node::entries).iter();
    entries.filter_map(|entry| Some((&*entry.key, entry.value.get("default")?.scalar()?))).collect()
}

impl Bake<'_> {
    fn target(&self, deployment: &mut Deployment<'_, '_>, target: &Entry) {
        let text = |key: &str| self.inherited(&target.value, key, 0).and_then(Node::text).map(str::to_string);
        let context = text("context").unwrap_or_else(|| ".".to_string());
        // A context that is a repository elsewhere is built from nothing of this tree.
        let elsewhere = context.contains("://") || context.contains("${");
        let dockerfile = text("dockerfile").unwrap_or_else(|| "Dockerfile".to_string());
        let path = super::join(&super::join(self.file.folder(), &context), &dockerfile);
        let owner = deployment.owners.dockerfile_at(&path).filter(|_| !elsewhere).cloned();
        let tags = self.inherited(&target.value, "tags", 0).map_or(&[][..], Node::items);
        for tag in tags {
            self.tag(deployment, target, tag, &path, owner.as_ref());
        }
    }

    fn tag(&self, deployment: &mut Deployment<'_, '_>, target: &Entry, tag: &Node, path: &str, owner: Option<&Owner>) {
        let text = match &tag.value {
            Value::Unresolved(text) => text.to_string(),
            _ => tag.scalar().unwrap_or_default(),
        };
        let (name, version, _) = known::split(&text);
        // A variable's default names the image; the tag is given at every build.
        let name = self.with_defaults(name);
        if let (Some(owner), Some(name)) = (owner, &name) {
            deployment.owners.built.insert(name.clone(), owner.clone());
        }
        let arguments = self.inherited(&target.value, "args", 0).map_or(&[][..], Node::entries);
        let data = ImageBuild {
            image: name.map_or(Attr::Unknown, Attr::Known),
            tag: version.map(super::super::ties::tag_pattern).into(),
            dockerfile: path.into(),
            by: "bake".into(),
            target: (&*target.key).into(),
            arguments: arguments.iter().map(|entry| entry.key.to_string()).collect::<Vec<_>>().into(),
            published: Attr::Unset,
            of_service: owner.map_or(Attr::Unknown, |owner| owner.of_service.clone()),
        };
        let fact = deployment.context.fact(data, self.file.id, tag.span);
        deployment.add(owner.map_or(fact.clone(), |owner| owner.mark(fact)));
    }

    /// A key of a target, or of those it inherits from; the last of them wins.
    fn inherited<'n>(&'n self, target: &'n Node, key: &str, depth: usize) -> Option<&'n Node> {
        if let Some(own) = target.get(key) {
            return Some(own);
        }
        let bases = target.get("inherits").map_or(&[][..], Node::items).iter().rev();
        let targets = bases.filter_map(|base| self.root.at(&["target", base.text()?]));
        targets.filter(|_| depth < DEPTH).find_map(|base| self.inherited(base, key, depth + 1))
    }

    fn with_defaults(&self, text: &str) -> Option<String> {
        let expanded = super::variables::expand(text, &|name| self.variables.get(name).cloned());
        (expanded.complete && !expanded.text.contains("${")).then_some(expanded.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::facts::{Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::{link, trial};

    /// Target, image, tag, Dockerfile and arguments of each image that a bake file builds.
    fn built(name: &str, bake: &str) -> Vec<String> {
        let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\n";
        let files = [
            ("Cargo.toml", manifest),
            ("src/main.rs", "fn main() {}"),
            ("shop/Dockerfile", "FROM scratch"),
            (name, bake),
        ];
        let linked = link(&trial::repository(&files), &Catalog::default());
        let builds = linked.facts.of(FactKind::ImageBuild).map(|(_, fact)| match &fact.data {
            Data::ImageBuild(build) => {
                let text = |attr: &crate::facts::Attr<String>| attr.known().map_or("?", String::as_str).to_string();
                let arguments = build.arguments.known().unwrap().join("+");
                let parts = [&build.target, &build.image, &build.tag, &build.dockerfile].map(text);
                format!("{} {arguments}", parts.join(" "))
            }
            other => format!("{other:?}"),
        });
        builds.collect()
    }

    #[test]
    fn a_target_has_what_it_inherits() {
        let bake = r#"
            variable "REGISTRY" { default = "registry.example.org" }
            group "default" { targets = ["shop"] }
            target "_base" {
              context = "shop"
              args = { PROFILE = "release" }
            }
            target "shop" {
              inherits = ["_base"]
              tags = ["${REGISTRY}/shop:1.4.0"]
            }
        "#;
        assert_eq!(built("docker-bake.hcl", bake), ["shop registry.example.org/shop 1.4.0 shop/Dockerfile PROFILE"]);
    }

    #[test]
    fn targets_in_json_and_in_circles_are_read() {
        let bake = r#"{"target": {"shop": {"context": "shop", "tags": ["shop:2"]}}}"#;
        assert_eq!(built("docker-bake.json", bake), ["shop shop 2 shop/Dockerfile "]);
        let circle = r#"
            target "a" { inherits = ["b"] }
            target "b" {
              inherits = ["a"]
              context = "shop"
              tags = ["shop:3"]
            }
        "#;
        assert_eq!(built("docker-bake.hcl", circle).len(), 2);
    }
}
