//! Helm charts: their values, and templates with what the values settle put in.

use std::cell::Cell;
use std::sync::Arc;

use super::blocks::{Blocks, Guard};
use super::expression::{Known, Scope, evaluate};
use super::named::{self, OPEN, Part, STEPS, Templates};
use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::parse::yaml::mask::{actions, inner};
use crate::scan::source::{SourceFile, Span};

/// A chart.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chart {
    /// Folder of its Chart.yaml.
    pub folder: String,
    values: Option<Arc<Node>>,
    own: Option<Arc<Node>>,
    named: Templates,
    context: Option<Arc<Node>>,
}

impl Chart {
    fn new(folder: String, values: Option<Arc<Node>>, own: Option<Arc<Node>>, named: Templates) -> Chart {
        let context = Some(context(values.as_ref(), own.as_ref()));
        Chart { folder, values, own, named, context }
    }

    /// The named template of this name.
    pub fn named(&self, name: &str) -> Option<&[Part]> {
        self.named.get(name).map(|parts| parts.as_slice())
    }

    /// What `.` is at the top of a template.
    pub fn context(&self) -> Known {
        self.context.clone().map_or(Known::Unknown, Known::Value)
    }

    /// The values that an install starts from.
    pub fn values(&self) -> Known {
        self.values.clone().map_or(Known::Unknown, Known::Value)
    }

    /// `.Chart.Name` and the like.
    pub fn own(&self, key: &str) -> Known {
        let mut letters = key.chars();
        let key: String =
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
        let value = self.own.as_ref().and_then(|own| own.entry(&key)).map(|entry| entry.value.clone());
        value.map_or(Known::Unknown, Known::Value)
    }

    /// Whether a file is one of its templates.
    pub fn holds(&self, path: &str) -> bool {
        let rest = if self.folder.is_empty() { Some(path) } else { path.strip_prefix(&format!("{}/", self.folder)) };
        rest.is_some_and(|rest| rest.starts_with("templates/"))
    }
}

/// All charts of the tree.
pub fn charts(repository: &Repository) -> Vec<Chart> {
    repository
        .files()
        .filter(|(file, _)| matches!(file.name(), "Chart.yaml" | "Chart.yml"))
        .map(|(file, parsed)| {
            let folder = file.folder().to_string();
            let named = named::templates(repository, &folder);
            Chart::new(folder.clone(), values(repository, &folder), first_document(&parsed.syntax), named)
        })
        .collect()
}

/// Whether the default values of a file's chart leave out what stands at an offset.
pub fn is_off_by_default(charts: &[Chart], file: &SourceFile, offset: usize) -> bool {
    let chart = chart_of(charts, &file.path);
    chart.is_some_and(|chart| Rendering::new(chart, &file.text).guard(offset) == Guard::No)
}

/// The chart that a template belongs to.
pub fn chart_of<'c>(charts: &'c [Chart], path: &str) -> Option<&'c Chart> {
    charts.iter().filter(|chart| chart.holds(path)).max_by_key(|chart| chart.folder.len())
}

/// `.` at the top of a template: `.Values`, `.Chart`, and what only an install tells.
fn context(values: Option<&Arc<Node>>, own: Option<&Arc<Node>>) -> Arc<Node> {
    let node = |value| Arc::new(Node { span: Span::default(), value, tag: None });
    let entry = |key: &str, value| Entry { key: key.into(), key_span: Span::default(), value };
    let open = || node(Value::Unresolved("{{ }}".into()));
    let upper = |key: &str| {
        let mut letters = key.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    let own = own.map_or_else(open, |own| {
        node(Value::Map(own.entries().iter().map(|own| entry(&upper(&own.key), own.value.clone())).collect()))
    });
    let mut entries = vec![entry("Values", values.cloned().unwrap_or_else(open)), entry("Chart", own)];
    entries.extend(["Release", "Capabilities", "Template", "Files", "Subcharts"].map(|key| entry(key, open())));
    node(Value::Map(entries))
}

fn first_document(syntax: &Syntax) -> Option<Arc<Node>> {
    match syntax {
        Syntax::Documents(documents) => documents.first().cloned().map(Arc::new),
        _ => None,
    }
}

/// The default values, with those of a production file beside them laid over.
fn values(repository: &Repository, folder: &str) -> Option<Arc<Node>> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let default = repository
        .tree
        .find(&format!("{prefix}values.yaml"))
        .or(repository.tree.find(&format!("{prefix}values.yml")))?;
    let base = first_document(&repository.get(default.id).1.syntax)
        .unwrap_or_else(|| Arc::new(Node { span: Span::default(), value: Value::Map(Vec::new()), tag: None }));
    let production = repository.files().find(|(file, _)| file.folder() == folder && is_production_values(file));
    let over = production.and_then(|(_, parsed)| first_document(&parsed.syntax));
    Some(over.map_or_else(|| base.clone(), |over| lay_over(&base, &over)))
}

fn is_production_values(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    name.contains("values") && name.split(['-', '.', '_']).any(|word| matches!(word, "prod" | "production"))
}

/// One map over another, deeply.
pub fn lay_over(base: &Arc<Node>, over: &Arc<Node>) -> Arc<Node> {
    let (Value::Map(base_entries), Value::Map(over_entries)) = (&base.value, &over.value) else { return over.clone() };
    let mut entries = base_entries.clone();
    for entry in over_entries {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => known.value = lay_over(&known.value, &entry.value),
            None => entries.push(entry.clone()),
        }
    }
    Arc::new(Node { span: base.span, value: Value::Map(entries), tag: base.tag.clone() })
}

/// A template's document with values put in.
pub struct Rendering<'a> {
    chart: &'a Chart,
    blocks: Blocks,
    text: &'a str,
    steps: Cell<usize>,
    on: Option<usize>,
}

impl<'a> Rendering<'a> {
    /// Prepares a template.
    pub fn new(chart: &'a Chart, text: &'a str) -> Rendering<'a> {
        Rendering { chart, blocks: Blocks::read(text), text, steps: Cell::new(STEPS), on: None }
    }

    /// The same, as an install has it that switches on what stands at an offset.
    pub fn switched_on(&self, offset: usize) -> Rendering<'a> {
        Rendering { blocks: self.blocks.clone(), steps: Cell::new(STEPS), on: Some(offset), ..*self }
    }

    fn scope(&self) -> Scope<'_> {
        self.steps.set(STEPS);
        Scope { chart: self.chart, blocks: &self.blocks, depth: 0, steps: &self.steps, frame: None }
    }

    /// Whether what stands at an offset is rendered by default.
    pub fn guard(&self, offset: usize) -> Guard {
        self.blocks.guard(offset, self.on, &self.scope())
    }

    /// Puts values in; entries of branches that are not taken are left out. Recursion is bounded by the reader.
    pub fn render(&self, node: &Node) -> Arc<Node> {
        let value = match &node.value {
            Value::Unresolved(_) => return self.resolve(node),
            Value::Map(entries) => Value::Map(self.entries(entries)),
            Value::List(items) => Value::List(self.items(items)),
            other => other.clone(),
        };
        Arc::new(Node { span: node.span, value, tag: node.tag.clone() })
    }

    fn entries(&self, entries: &[Entry]) -> Vec<Entry> {
        let mut rendered: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            if self.guard(entry.key_span.start as usize) == Guard::No {
                continue;
            }
            let value = self.render(&entry.value);
            if entry.key.starts_with("{{") {
                match &value.value {
                    Value::Map(inner) => rendered.extend(inner.iter().cloned()),
                    Value::Unresolved(_) => rendered.push(Entry { value, ..entry.clone() }),
                    _ => {}
                }
            } else {
                rendered.push(Entry { value, ..entry.clone() });
            }
        }
        rendered
    }

    fn items(&self, items: &[Arc<Node>]) -> Vec<Arc<Node>> {
        let mut rendered = Vec::with_capacity(items.len());
        for item in items {
            if self.guard(item.span.start as usize) == Guard::No {
                continue;
            }
            let value = self.render(item);
            match (&item.value, &value.value) {
                (Value::Unresolved(_), Value::List(inner)) => rendered.extend(inner.iter().cloned()),
                (Value::Unresolved(_), Value::Null) => {}
                _ => rendered.push(value),
            }
        }
        rendered
    }

    /// An unresolved value: one action gives a value of any kind, several give text.
    fn resolve(&self, node: &Node) -> Arc<Node> {
        let source = self.text.get(node.span.range()).unwrap_or("");
        let Some(value) = self.value_of(source, node.span) else { return Arc::new(node.clone()) };
        at_place(&value, node.span, 0)
    }

    fn value_of(&self, source: &str, span: Span) -> Option<Arc<Node>> {
        let bare = source.trim_matches(['"', '\'']);
        let shift = span.start as usize;
        let actions = actions(source);
        if let [action] = actions.as_slice()
            && source.get(action.span.range()).is_some_and(|text| text == bare)
        {
            return match evaluate(inner(bare), &self.scope(), shift) {
                Known::Value(value) if !value.is_unresolved() => as_written(value, source, bare),
                Known::Missing => Some(Arc::new(Node { span, value: Value::Null, tag: None })),
                _ => None,
            };
        }
        let mut text = String::new();
        let mut at = 0;
        for action in actions {
            let range = action.span.range();
            text.push_str(source.get(at..range.start)?);
            match evaluate(inner(source.get(range.clone())?), &self.scope(), shift + range.start) {
                Known::Value(value) => text.push_str(&value.scalar().filter(|text| !text.contains(OPEN))?),
                Known::Missing => {}
                Known::Unknown => return None,
            }
            at = range.end;
        }
        text.push_str(source.get(at..)?);
        let value = Value::Text { text: text.trim_matches(['"', '\'']).into(), quoted: true };
        Some(Arc::new(Node { span, value, tag: None }))
    }
}

/// A value as the manifest has it: text that a named template prints is YAML where it stands without quotes.
fn as_written(value: Arc<Node>, source: &str, action: &str) -> Option<Arc<Node>> {
    let prints = ["include", "template", "tpl"].iter().any(|word| action.contains(word));
    match value.text() {
        Some(text) if prints && source == action && !action.contains("quote") => named::read_back(text),
        Some(text) if text.contains(OPEN) => None,
        _ => Some(value),
    }
}

/// Values come from another file: what they become here stands where the action stands.
fn at_place(node: &Node, span: Span, depth: usize) -> Arc<Node> {
    const DEPTH: usize = 64;
    let value = match &node.value {
        Value::Map(_) | Value::List(_) if depth > DEPTH => Value::Null,
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    key_span: span,
                    value: at_place(&entry.value, span, depth + 1),
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| at_place(item, span, depth + 1)).collect()),
        other => other.clone(),
    };
    Arc::new(Node { span, value, tag: node.tag.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const VALUES: &str = "replicas: 3\nimage: {repo: acme/shop, tag: \"\"}\nresources: {limits: {cpu: 1}}\nempty: {}\nprobe: {enabled: true}\nhpa: {enabled: false}\nlist: [{name: A, value: b}]\n";

    const HELPERS: &str = "{{/* helpers */}}\n{{- define \"image\" -}}\n{{- $tag := .image.tag | default .fallback -}}\n{{- if .registry }}{{ .registry }}/{{ end }}{{ .image.repo }}:{{ $tag }}\n{{- end }}\n{{- define \"pod\" }}\nports:\n  {{- range $at, $item := .Values.list }}\n  - name: {{ $item.name | lower | quote }}\n    port: {{ $.Values.replicas }}\n  {{- end }}\n{{- with .Values.resources }}\nresources:\n  {{- toYaml . | nindent 2 }}\n{{- end }}\nrelease: {{ .Release.Name }}\n{{- end }}\n{{- define \"fullname\" }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}\n{{- define \"port\" }}8080{{ end }}\n{{- define \"branch\" }}{{ if .Release.IsInstall }}a{{ end }}{{ end }}\n{{- define \"bomb\" }}{{ include \"bomb\" . }}{{ include \"bomb\" . }}{{ end }}\n";

    #[test]
    fn named_templates_are_put_in() {
        let template = "image: {{ include \"image\" (dict \"image\" .Values.image \"registry\" \"ghcr.io\" \"fallback\" .Chart.AppVersion) }}\nspec:\n  {{- include \"pod\" . | nindent 2 }}\nname: {{ template \"fullname\" . }}\nport: {{ include \"port\" . }}\nbranch: {{ include \"branch\" . }}\nbomb: {{ include \"bomb\" . }}\ntext: {{ tpl \"{{ .Values.image.repo }}\" . }}\nlong: x-{{ include \"pod\" . }}\n";
        let root = render(template);
        assert_eq!(root.get("image").unwrap().text(), Some("ghcr.io/acme/shop:1.2"));
        let spec = root.get("spec").unwrap();
        let port = &spec.get("ports").unwrap().items()[0];
        assert_eq!((port.get("name").unwrap().text(), port.get("port").unwrap().number()), (Some("a"), Some(3.0)));
        assert_eq!(spec.at(&["resources", "limits", "cpu"]).unwrap().number(), Some(1.0));
        assert!(spec.get("release").unwrap().is_unresolved());
        assert_eq!(root.get("port").unwrap().number(), Some(8080.0));
        assert_eq!(root.get("text").unwrap().text(), Some("acme/shop"));
        for open in ["name", "branch", "bomb", "long"] {
            assert!(root.get(open).unwrap().is_unresolved(), "{open}");
        }
        let ports = spec.entry("ports").unwrap();
        assert_eq!(&template[ports.key_span.range()], "{{- include \"pod\" . | nindent 2 }}");
    }

    fn document(text: &str) -> Arc<Node> {
        first_document(&crate::parse::yaml::parse(text).syntax).unwrap()
    }

    fn render(template: &str) -> Arc<Node> {
        let own = document("name: shop\nappVersion: \"1.2\"\n");
        let chart = Chart::new(String::new(), Some(document(VALUES)), Some(own), named::defined(HELPERS));
        let rendering = Rendering::new(&chart, template);
        rendering.render(&document(template))
    }

    #[test]
    fn values_are_put_in() {
        let root = render(
            "a: {{ .Values.replicas }}\nb: \"{{ .Values.image.repo }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\nc: {{ include \"x\" . }}\nd: {{ .Values.none | default 5 }}\ne: {{ printf \"%s-x\" .Values.image.repo | quote }}\nf: {{ .Values.none.deeper }}\n",
        );
        assert_eq!(root.get("a").unwrap().number(), Some(3.0));
        assert_eq!(root.get("b").unwrap().text(), Some("acme/shop:1.2"));
        assert!(root.get("c").unwrap().is_unresolved());
        assert_eq!(root.get("d").unwrap().number(), Some(5.0));
        assert_eq!(root.get("e").unwrap().text(), Some("acme/shop-x"));
        assert!(root.get("f").unwrap().is_null());
    }

    #[test]
    fn blocks_are_inserted_and_branches_chosen() {
        let template = "spec:\n  {{- if not .Values.hpa.enabled }}\n  replicas: {{ .Values.replicas }}\n  {{- else }}\n  replicas: 9\n  {{- end }}\n  {{- with .Values.empty }}\n  context:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n  {{- with .Values.resources }}\n  resources:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n  env:\n    {{- toYaml .Values.list | nindent 4 }}\n    - name: B\n";
        let root = render(template);
        let spec = root.get("spec").unwrap();
        let keys: Vec<&str> = spec.entries().iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["replicas", "resources", "env"]);
        assert_eq!(spec.get("replicas").unwrap().number(), Some(3.0));
        assert_eq!(spec.at(&["resources", "limits", "cpu"]).unwrap().number(), Some(1.0));
        assert_eq!(spec.get("env").unwrap().items()[0].get("name").unwrap().text(), Some("A"));
        let limits = spec.at(&["resources", "limits"]).unwrap();
        assert_eq!(&template[limits.span.range()], "{{- toYaml . | nindent 4 }}");
    }

    #[test]
    fn what_is_switched_on_takes_along_what_hangs_on_the_same_condition() {
        let template = "ports:\n  a: 1\n  {{- if .Values.hpa.enabled }}\n  b: {{ .Values.replicas }}\n  {{- else }}\n  c: 1\n  {{- end }}\n{{- if .Values.hpa.enabled }}\nprobe: 1\n{{- end }}\n{{- if .Values.empty }}\nd: 1\n{{- end }}\n";
        let chart = Chart::new(String::new(), Some(document(VALUES)), None, named::defined(""));
        let rendering = Rendering::new(&chart, template);
        let at = template.find("probe").unwrap();
        let keys = |root: &Node| {
            let ports = root.get("ports").unwrap().entries().iter().map(|entry| entry.key.to_string());
            ports.chain(root.entries().iter().skip(1).map(|entry| entry.key.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(keys(&rendering.render(&document(template))), ["a", "c"]);
        assert_eq!(rendering.guard(at), Guard::No);
        let on = rendering.switched_on(at).render(&document(template));
        assert_eq!(keys(&on), ["a", "b", "probe"]);
        assert_eq!(on.at(&["ports", "b"]).unwrap().number(), Some(3.0));
    }

    #[test]
    fn what_only_an_install_tells_stays_open() {
        let root = render(
            "a: {{ .Release.Name }}\n{{- if .Capabilities.x }}\nb: 1\n{{- end }}\n{{- if .Values.hpa.enabled }}\nc: 1\n{{- end }}\n",
        );
        assert!(root.get("a").unwrap().is_unresolved());
        assert!(root.get("b").is_some());
        assert!(root.get("c").is_none());
    }

    #[test]
    fn hostile_templates_end() {
        render(&format!("a: {{{{ {} }}}}\n", "(".repeat(10_000)));
        render("{{- $a := $b }}{{- $b := $a }}\nx: {{ $a.c }}\n");
        render(&format!("{}x: 1\n", "{{ if .Values.replicas }}\n".repeat(2_000)));
    }
}
