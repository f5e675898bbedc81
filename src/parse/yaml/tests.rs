#![allow(clippy::unwrap_used)]

use super::*;

fn documents(text: &str) -> Vec<Node> {
    match parse(text).syntax {
        Syntax::Documents(documents) => documents,
        other => unreachable!("{other:?}"),
    }
}

fn document(text: &str) -> Node {
    documents(text).into_iter().next().unwrap()
}

fn clean(text: &str) -> Node {
    let parsed = parse(text);
    assert_eq!(parsed.problems, [], "{text}");
    document(text)
}

#[test]
fn values_and_spans() {
    let text = "# héad\nname: \"wörld\" # one\nport: 8080\non: true\nlist:\n  - a\n  - {b: c}\nblock: |\n  x\n  y\nlast: end\n";
    let root = clean(text);
    assert_eq!(&text[root.get("name").unwrap().span.range()], "\"wörld\"");
    assert_eq!(&text[root.entry("port").unwrap().key_span.range()], "port");
    assert_eq!(&text[root.get("list").unwrap().span.range()], "- a\n  - {b: c}");
    assert_eq!(&text[root.get("list").unwrap().items()[1].span.range()], "{b: c}");
    assert_eq!(root.get("block").unwrap().text(), Some("x\ny\n"));
    assert_eq!(&text[root.get("block").unwrap().span.range()], "x\n  y");
    assert_eq!(&text[root.get("last").unwrap().span.range()], "end");
    let comments: Vec<String> = parse(text).comments.into_iter().map(|comment| comment.text).collect();
    assert_eq!(comments, [" héad", " one"]);
}

#[test]
fn scalars_keep_what_they_are() {
    let root = clean(
        "a: 1.10\nb: 0644\nc: 22:22\nd: ~\ne:\nf: 12345678901234567890\ng: \"5\"\nh: -2\ni: 1e3\nj: yes\nk: !Ref x\n",
    );
    let value = |key: &str| root.get(key).unwrap().value.clone();
    let text = |text: &str, quoted| Value::Text { text: text.into(), quoted };
    assert_eq!(value("a"), Value::Number(1.1));
    assert_eq!(value("b"), text("0644", false));
    assert_eq!(value("c"), text("22:22", false));
    assert_eq!((value("d"), value("e")), (Value::Null, Value::Null));
    assert_eq!(value("f"), text("12345678901234567890", false));
    assert_eq!(value("g"), text("5", true));
    assert_eq!((value("h"), value("i")), (Value::Number(-2.0), Value::Number(1000.0)));
    assert_eq!(value("j"), text("yes", false));
    assert_eq!(root.get("k").unwrap().tag.as_deref(), Some("!Ref"));
}

#[test]
fn several_documents_and_a_fault_in_one() {
    let parsed = parse("a: 1\n---\nb: [\n---\nc: 3\n");
    assert_eq!(parsed.problems.len(), 1, "{:?}", parsed.problems);
    let all = documents("a: 1\n---\nb: [\n---\nc: 3\n");
    assert_eq!(all.first().unwrap().get("a").unwrap().number(), Some(1.0));
    assert_eq!(all.last().unwrap().get("c").unwrap().number(), Some(3.0));
}

#[test]
fn anchors_are_shared_and_merged() {
    let root =
        clean("x: &base {image: a, tag: 1}\ny:\n  <<: *base\n  tag: 2\nz:\n  <<: [*base, {more: 3}]\nw: *base\n");
    assert_eq!(root.at(&["y", "image"]).unwrap().text(), Some("a"));
    assert_eq!(root.at(&["y", "tag"]).unwrap().number(), Some(2.0));
    assert_eq!(root.at(&["z", "more"]).unwrap().number(), Some(3.0));
    assert!(root.at(&["y", "<<"]).is_none());
    assert!(Arc::ptr_eq(&root.entry("w").unwrap().value, &root.entry("x").unwrap().value));
}

#[test]
fn duplicate_keys_are_reported_once_per_repetition() {
    let parsed = parse("a: 1\nb: 2\na: 3\n");
    assert_eq!(parsed.problems.len(), 1);
    assert_eq!(parsed.problems[0].span, Span::new(10, 11));
    assert!(parse("{{- if .x }}\na: 1\n{{- else }}\na: 2\n{{- end }}\n").problems.is_empty());
}

#[test]
fn expressions_and_variables_stay_text() {
    let root = clean("a: ${{ github.ref }}\nb: ${HOME:-/root}\nc: \"${{ x }} y\"\n");
    assert_eq!(root.get("a").unwrap().text(), Some("${{ github.ref }}"));
    assert_eq!(root.get("b").unwrap().text(), Some("${HOME:-/root}"));
    assert_eq!(root.get("c").unwrap().text(), Some("${{ x }} y"));
}

const CHART: &str = r#"{{- if .Values.enabled }}
{{- $name := include "name" . }}
apiVersion: apps/v1
metadata:
  name: {{ include "name" . }}
  labels:
    {{- include "labels" . | nindent 4 }}
    app: api
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      {{- with .Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: api
          image: {{ .Values.repo }}:{{ .Values.tag | default "x}}y" }}
          args: ["--port={{ .Values.port }}", plain]
          resources: {{- toYaml .Values.resources | nindent 12 }}
          env:
            {{- range $k, $v := .Values.env }}
            - name: {{ $k }}
              value: "{{ $v }}"
            {{- end }}
            {{- toYaml .Values.more | nindent 12 }}
      {{- toYaml .Values.spec | nindent 6 }}
{{- end }}
"#;

#[test]
fn a_chart_is_read_with_exact_places() {
    let root = clean(CHART);
    let unresolved = |node: &Node| match &node.value {
        Value::Unresolved(text) => text.to_string(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(unresolved(root.at(&["metadata", "name"]).unwrap()), "{{ include \"name\" . }}");
    let labels = root.at(&["metadata", "labels"]).unwrap();
    assert_eq!(labels.get("app").unwrap().text(), Some("api"));
    assert_eq!(&*labels.entries()[0].key, "{{- include \"labels\" . | nindent 4 }}");
    let replicas = root.at(&["spec", "replicas"]).unwrap();
    assert_eq!(&CHART[replicas.span.range()], "{{ .Values.replicas }}");
    let pod = root.at(&["spec", "template", "spec"]).unwrap();
    assert_eq!(unresolved(pod.get("affinity").unwrap()), "{{- toYaml . | nindent 8 }}");
    assert!(pod.entries().iter().any(|entry| &*entry.key == "{{- toYaml .Values.spec | nindent 6 }}"));
    let container = &pod.get("containers").unwrap().items()[0];
    assert_eq!(unresolved(container.get("image").unwrap()), "{{ .Values.repo }}:{{ .Values.tag | default \"x}}y\" }}");
    assert_eq!(container.get("args").unwrap().items()[1].text(), Some("plain"));
    assert_eq!(unresolved(container.get("resources").unwrap()), "{{- toYaml .Values.resources | nindent 12 }}");
    let env = container.get("env").unwrap().items();
    assert_eq!(unresolved(env[0].get("value").unwrap()), "{{ $v }}");
    assert_eq!(unresolved(&env[1]), "{{- toYaml .Values.more | nindent 12 }}");
}

#[test]
fn an_action_that_begins_a_block_is_one_entry_of_it() {
    let text =
        "labels: {{- include \"x\" . | nindent 2 }}\n  app: y\nfile: |-\n{{ .Files.Get \"f\" | indent 2 }}\nend: 1\n";
    let root = clean(text);
    assert_eq!(root.at(&["labels", "app"]).unwrap().text(), Some("y"));
    assert_eq!(root.get("labels").unwrap().entries().len(), 2);
    assert!(root.get("file").unwrap().is_unresolved(), "{:?}", root.get("file"));
    assert_eq!(&text[root.get("file").unwrap().span.range()], "{{ .Files.Get \"f\" | indent 2 }}");
    assert_eq!(root.get("end").unwrap().number(), Some(1.0));
}

#[test]
fn comments_in_actions_and_jinja() {
    let root = clean("{{- /* two\nlines }} here */ -}}\na: 1\n{% if x %}\nb: \"{{ y }}\"\n{% endif %}\n");
    assert_eq!(root.get("a").unwrap().number(), Some(1.0));
    assert!(root.get("b").unwrap().is_unresolved());
}

#[test]
fn branches_on_one_line_lose_no_document() {
    let root = clean(
        "a:\n  {{ if .x }}k: {{ .y }}{{ end }}\n  b: 1\n{{ if .s -}} data: {{- else -}} text: {{- end }}\n  c: |\n{{- if .z }}\n    x\n{{- end }}\ne:\n  {{- if .v }}\n  f: 1\n  {{- else }}\n  {}\n  {{- end }}\ng: 2\n",
    );
    assert_eq!(root.at(&["a", "b"]).unwrap().number(), Some(1.0));
    assert_eq!(&*root.get("a").unwrap().entries()[0].key, "{{ if .x }}k: {{ .y }}{{ end }}");
    let either = root.entries().iter().find(|entry| entry.key.contains("data:")).unwrap();
    assert_eq!(either.value.get("c").unwrap().text().map(str::trim), Some("x"));
    assert_eq!(root.at(&["e", "f"]).unwrap().number(), Some(1.0));
    assert_eq!(root.get("g").unwrap().number(), Some(2.0));
}

#[test]
fn a_long_run_of_comments_is_no_fault() {
    let text = format!("a:\n{}b: 1\n", "# x\n".repeat(5000));
    assert_eq!(clean(&text).get("b").unwrap().number(), Some(1.0));
}

#[test]
fn hostile_input_gives_problems() {
    let blocks: String = (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let inputs = [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(20_000),
        blocks,
        "a:\n\t- b\n".to_string(),
        "a: \"open".to_string(),
        "a: *nowhere\n".to_string(),
        "a: &a [*a]\n".to_string(),
    ];
    for text in inputs {
        assert!(!parse(&text).problems.is_empty(), "{}", &text[..20.min(text.len())]);
    }
    assert!(parse("").problems.is_empty());
    assert!(parse("{{ unclosed").problems.len() <= 1);
}

#[test]
fn an_alias_bomb_is_cut() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let problems = parse(&text).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let mut merged = "m0: &m0 {k0: 1}\n".to_string();
    for level in 1..2000 {
        merged.push_str(&format!("m{level}: &m{level}\n  <<: *m{}\n  k{level}: 1\n", level - 1));
    }
    assert_eq!(parse(&merged).problems.len(), 1);
}

#[test]
fn a_chain_of_aliases_stays_shallow() {
    let mut text = "a0: &a0 x\n".to_string();
    for level in 1..5000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(parse(&text).problems.len(), 1);
}

#[test]
fn byte_order_mark_and_line_ends() {
    let text = "\u{feff}a: 1\r\nb: \"x\" # c\r\nd:\r\n  - e\r\n";
    let root = clean(text);
    assert_eq!(&text[root.get("b").unwrap().span.range()], "\"x\"");
    assert_eq!(root.get("d").unwrap().items()[0].text(), Some("e"));
    assert_eq!(parse(text).comments[0].text, " c");
}

#[test]
fn a_string_that_a_branch_begins_or_ends_in_is_not_settled() {
    let text = "a:\n  {{- if .Values.long }}\n  b: 'one\n  {{- end }}\n    two'\nc: d\n";
    let parsed = parse(text);
    assert_eq!(parsed.problems, []);
    let Syntax::Documents(documents) = parsed.syntax else { unreachable!() };
    assert!(documents[0].at(&["a", "b"]).unwrap().is_unresolved());
    assert_eq!(documents[0].get("c").unwrap().text(), Some("d"));
}
