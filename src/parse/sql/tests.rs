#![allow(clippy::unwrap_used)]
use super::*;

fn one(text: &str) -> Kind {
    let mut statements = fragment(text);
    assert_eq!(statements.len(), 1, "{text}");
    statements.remove(0).kind
}

fn actions(text: &str) -> Vec<Action> {
    match one(text) {
        Kind::AlterTable { actions, .. } => actions,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn tables_with_columns_and_keys() {
    let Kind::CreateTable(table) =
        one("create table if not exists app.\"user\" (\n id uuid primary key default uuid_generate_v1mc(),\n \
         team_id int not null references team (id) on delete cascade,\n name text collate \"x\" unique not null,\n \
         constraint fk foreign key (a, b) references c (a, b), unique (team_id, name))")
    else {
        unreachable!()
    };
    assert_eq!(table.table.text, "user");
    let columns: Vec<_> =
        table.columns.iter().map(|c| (c.name.text.as_str(), c.not_null, c.key, c.references)).collect();
    assert_eq!(columns, [("id", true, true, false), ("team_id", true, false, true), ("name", true, true, false)]);
    assert_eq!(table.foreign_keys[0].len(), 2);
    assert_eq!(table.keys, [["team_id", "name"]]);
}

#[test]
fn alterations_of_all_dialects() {
    assert!(matches!(&actions("ALTER TABLE x\n  DROP COLUMN y")[0], Action::DropColumn(name) if name.text == "y"));
    assert!(matches!(&actions("alter table x alter y type bigint")[0], Action::ChangeType(name) if name.text == "y"));
    assert!(
        matches!(&actions("alter table x rename a to b")[0], Action::RenameColumn { from, .. } if from.text == "a")
    );
    assert!(matches!(&actions("alter table x rename to y")[0], Action::RenameTable(name) if name.text == "y"));
    assert!(matches!(&actions("alter table x change column a b int")[0], Action::RenameColumn { .. }));
    assert!(matches!(&actions("alter table x change column a a int")[0], Action::ChangeType(_)));
    assert!(
        matches!(&actions("alter table x add a int not null")[0], Action::AddColumn(c) if c.not_null && c.default.is_none())
    );
    let two = actions("alter table x add column a numeric(10, 2) not null default 0, alter column b set not null");
    assert!(matches!(&two[0], Action::AddColumn(c) if c.default.as_deref() == Some("number")));
    assert!(matches!(&two[1], Action::SetNotNull(name) if name.text == "b"));
    let constraint = actions("alter table x add constraint k foreign key (a) references y (id) not valid");
    assert!(matches!(&constraint[0], Action::AddConstraint { what: Constraint::ForeignKey, not_valid: true, .. }));
}

#[test]
fn a_key_takes_over_an_index_or_makes_one() {
    let key = |text: &str| match actions(text).remove(0) {
        Action::AddConstraint { name, what, columns, using_index, .. } => {
            let columns: Vec<String> = columns.into_iter().map(|column| column.text).collect();
            (name.text, what, columns.join(" "), using_index.map(|index| index.text))
        }
        other => unreachable!("{other:?}"),
    };
    let taken = key("alter table x add constraint k unique using index i");
    assert_eq!(taken, ("k".into(), Constraint::Unique, String::new(), Some("i".into())));
    let taken = key("alter table x add primary key using index i deferrable");
    assert_eq!(taken, (String::new(), Constraint::PrimaryKey, String::new(), Some("i".into())));
    let made = key("alter table x add constraint k unique (a, b) using index tablespace fast");
    assert_eq!(made, ("k".into(), Constraint::Unique, "a b".into(), None));
    assert_eq!(key("alter table x add unique k (a)"), (String::new(), Constraint::Unique, "a".into(), None));
}

#[test]
fn indexes() {
    let Kind::CreateIndex(index) =
        one("CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (lower(a), b DESC) WHERE c")
    else {
        unreachable!()
    };
    assert_eq!((index.table.text.as_str(), index.concurrently, index.partial), ("t", true, true));
    assert_eq!(index.columns, ["", "b"]);
}

#[test]
fn an_index_on_what_is_not_null_serves_every_lookup() {
    let partial = |text: &str| matches!(one(text), Kind::CreateIndex(index) if index.partial);
    assert!(!partial("create index i on t (a) where a is not null"));
    assert!(!partial("create index i on t (a, b) where (a is not null)"));
    assert!(partial("create index i on t (a) where b is not null"));
    assert!(partial("create index i on t (a) where a > 0"));
}

#[test]
fn queries() {
    let Kind::Query(query) = one(
        "SELECT u.*, count(x) FROM users u JOIN teams AS t ON t.id = u.team_id WHERE u.email = $1 AND status in (1) ORDER BY name LIMIT 5",
    ) else {
        unreachable!()
    };
    let tables: Vec<_> = query.tables.iter().map(|(name, alias)| (name.text.as_str(), alias.as_deref())).collect();
    assert_eq!(tables, [("users", Some("u")), ("teams", Some("t"))]);
    let filters: Vec<_> = query.filters.iter().map(|(q, name)| (q.as_deref(), name.text.as_str())).collect();
    assert_eq!(filters, [(Some("t"), "id"), (Some("u"), "email"), (None, "status")]);
    assert!(query.bounded && query.filtered && !query.star);
    assert!(matches!(one("select count(*) from t"), Kind::Query(q) if q.bounded));
    assert!(matches!(one("select * from t"), Kind::Query(q) if q.star && !q.bounded));
}

#[test]
fn a_query_inside_a_query_has_its_own_tables_and_filters() {
    let Kind::Query(query) = one(
        "UPDATE a SET n = 1 WHERE b_id = (SELECT id FROM b WHERE c_id = (SELECT id FROM c WHERE k = 1) AND f = 2) AND m < 3",
    ) else {
        unreachable!()
    };
    let names = |query: &Query| query.filters.iter().map(|(_, name)| name.text.clone()).collect::<Vec<_>>();
    assert_eq!(names(&query), ["b_id", "m"]);
    assert_eq!(names(&query.nested[0]), ["c_id", "f"]);
    assert_eq!(names(&query.nested[0].nested[0]), ["k"]);
    assert_eq!(query.nested[0].tables[0].0.text, "b");
    let open = format!("select * from t where x in {}", "(select ".repeat(200));
    assert!(matches!(one(&open), Kind::Query(query) if query.nested.len() == 1));
}

#[test]
fn statements_are_cut_outside_strings_and_bodies() {
    let text = "-- note; here\nselect ';' from t; do $$ begin; x; end $$; /* ; */ set lock_timeout = '5s';";
    let kinds: Vec<_> = fragment(text).into_iter().map(|statement| statement.kind).collect();
    assert_eq!(kinds.len(), 3);
    assert_eq!(kinds[1], Kind::Other("do".to_string()));
    assert_eq!(kinds[2], Kind::Set { name: "lock_timeout".to_string() });
}

#[test]
fn broken_and_huge_input_ends() {
    for text in [
        "create table (",
        "alter table",
        "'unclosed",
        "$a$ unclosed",
        "create index on",
        "select",
        "((((",
        "))))",
        "—;é",
    ] {
        fragment(text);
    }
    let deep = format!("select {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(fragment(&deep).len(), 1);
}
