//! Which kinds of facts rules and items ask for.

use std::collections::BTreeSet;

use super::checklist::Checklist;
use super::rules::{Anchor, AttrPath, Clause, Piece, Rule, RuleSet, Select, Template, Test, When};
use super::settings::Settings;
use crate::facts::{AttrType, FactKind, vocabulary};

/// Kinds that the rules which run under these settings ask for, with the conditions of their items.
pub fn kinds(rules: &RuleSet, checklist: &Checklist, settings: &Settings) -> BTreeSet<FactKind> {
    let mut asks = Asks::default();
    for rule in rules.rules().iter().filter(|rule| settings.runs(rule)) {
        asks.rule(rule);
        let item = checklist.item(&rule.item);
        item.iter().flat_map(|item| &item.when).for_each(|applies| asks.when(&applies.when));
    }
    asks.kinds
}

#[derive(Default)]
struct Asks {
    kinds: BTreeSet<FactKind>,
}

impl Asks {
    fn rule(&mut self, rule: &Rule) {
        rule.when.iter().for_each(|when| self.when(when));
        rule.related.iter().for_each(|(select, _)| self.select(select));
        let about = match &rule.clause {
            Clause::Forbid { matches, evidence } => {
                matches.iter().chain(evidence).for_each(|select| self.select(select));
                matches.iter().map(|select| select.kind).collect()
            }
            Clause::Each { of, has } => {
                self.select(of);
                self.test(of.kind, has);
                vec![of.kind]
            }
            Clause::Require { any, anchors } => {
                any.iter().for_each(|select| self.select(select));
                self.kinds.extend(anchors.iter().filter_map(|anchor| match anchor {
                    Anchor::Fact(kind) => Some(*kind),
                    _ => None,
                }));
                Vec::new()
            }
        };
        for template in std::iter::once(&rule.title).chain(rule.fixes.iter().map(|(_, fix)| fix)) {
            about.iter().for_each(|kind| self.template(*kind, template));
        }
    }

    fn when(&mut self, when: &When) {
        match when {
            When::All(list) | When::Any(list) => list.iter().for_each(|when| self.when(when)),
            When::Not(when) => self.when(when),
            When::Fact(select) => self.select(select),
        }
    }

    fn select(&mut self, select: &Select) {
        self.kinds.insert(select.kind);
        self.test(select.kind, &select.test);
        self.links(select.kind, select.shows);
    }

    fn test(&mut self, kind: FactKind, test: &Test) {
        match test {
            Test::All(list) | Test::Any(list) => list.iter().for_each(|test| self.test(kind, test)),
            Test::Not(test) => self.test(kind, test),
            Test::Attr(path, _) => self.path(kind, path),
        }
    }

    fn template(&mut self, kind: FactKind, template: &Template) {
        for piece in &template.pieces {
            if let Piece::Attribute(path) = piece {
                self.path(kind, path);
            }
        }
    }

    /// The kinds that links lead to.
    fn path(&mut self, kind: FactKind, path: &AttrPath) {
        self.links(kind, path.links.iter().copied());
    }

    fn links(&mut self, kind: FactKind, links: impl IntoIterator<Item = &'static str>) {
        let mut at = kind;
        for link in links {
            let schema = vocabulary::SCHEMA.iter().find(|schema| schema.kind == at);
            let attribute = schema.and_then(|schema| schema.attributes.iter().find(|known| known.name == link));
            let Some(AttrType::Links(target)) = attribute.map(|attribute| attribute.ty) else { return };
            self.kinds.insert(target);
            at = target;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(rule: &str) -> Vec<FactKind> {
        let text = format!(
            "item = \"a/b\"\nseverity = \"note\"\nconfidence = \"high\"\nwhy = \"w\"\nfix = \"f\"\nreferences = [\"CWE-1\"]\n{rule}"
        );
        let path = "own/some-rule.toml";
        let mut rules = RuleSet::default();
        rules.load_own(&[(path, &format!("id = \"some-rule\"\n{text}"))]).unwrap();
        kinds(&rules, &Checklist::default(), &Settings::default()).into_iter().collect()
    }

    #[test]
    fn clauses_conditions_anchors_and_links_are_asked_for() {
        let forbid =
            "title = \"t\"\n[when]\nfact = \"pool\"\n[[forbid]]\nfact = \"secret\"\n[[evidence]]\nfact = \"env_read\"";
        assert_eq!(asked(forbid), [FactKind::EnvRead, FactKind::Secret, FactKind::Pool]);
        let require = "title = \"t\"\n[require]\nany = [{ fact = \"image\" }]\nanchor = [\"server\", \"manifest\"]";
        assert_eq!(asked(require), [FactKind::Server, FactKind::Image]);
        let linked = "title = \"t\"\n[each]\nfact = \"probe\"\nhas = { \"route.path\" = { exists = true } }";
        assert_eq!(asked(linked), [FactKind::Route, FactKind::Probe]);
        let shown =
            "title = \"t\"\n[require]\nany = [{ fact = \"route\", shows = \"handler\" }]\nanchor = [\"manifest\"]";
        assert_eq!(asked(shown), [FactKind::Route, FactKind::Handler]);
    }
}
