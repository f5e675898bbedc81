//! A plain, owned tree of a Rust file: what the linker needs and no more, with byte spans everywhere.
//!
//! It is made from `syn`'s tree inside the parser (whose spans cannot leave their thread). Parentheses and groups
//! are dropped, references and `?` and `.await` are kept as nodes.

use crate::scan::source::Span;

/// A whole file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RustFile {
    /// Inner attributes of the file (`#![...]`).
    pub attributes: Vec<Attribute>,
    /// Items in order.
    pub items: Vec<Item>,
    /// Set when the file did not parse: no items, only its tokens.
    pub broken: bool,
    /// All tokens of a file that did not parse, for token-level facts (paths, strings).
    pub tokens: Vec<Token>,
}

/// An attribute: `#[path(args)]`, `#[path = value]` or `#[path]`. Doc comments are attributes of path `doc`.
#[derive(Clone, PartialEq, Debug)]
pub struct Attribute {
    /// `derive`, `tokio::main`, `utoipa::path`, `cfg`, ...
    pub path: Path,
    /// Value of `#[name = value]`.
    pub value: Option<Expr>,
    /// Tokens between the delimiters.
    pub tokens: Vec<Token>,
    /// The whole attribute.
    pub span: Span,
}

/// A token of a macro body or of a broken file. Delimiters are tokens of their own.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where.
    pub span: Span,
}

/// Kinds of tokens.
#[derive(Clone, PartialEq, Debug)]
pub enum TokenKind {
    /// An identifier, keyword or lifetime name (with its quote).
    Ident(String),
    /// A single punctuation character.
    Punct(char),
    /// A literal.
    Literal(Literal),
    /// `(`, `[`, `{`.
    Open(char),
    /// `)`, `]`, `}`.
    Close(char),
}

/// An item of a module, an impl block or a function body.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Its name; empty where it has none (`impl`, `use`, macro calls).
    pub name: String,
    /// Where the name stands; the item's first token where it has none.
    pub name_span: Span,
    /// The whole item, attributes included.
    pub span: Span,
    /// `pub` in any form.
    pub public: bool,
    /// Outer attributes, doc comments included.
    pub attributes: Vec<Attribute>,
    /// What it is.
    pub kind: ItemKind,
}

/// Kinds of items.
#[derive(Clone, PartialEq, Debug)]
pub enum ItemKind {
    /// A function or method.
    Function(Function),
    /// A struct or union.
    Struct(Vec<Field>),
    /// An enum.
    Enum(Vec<Variant>),
    /// An `impl` block.
    Impl(Impl),
    /// A trait with its items.
    Trait(Vec<Item>),
    /// `mod name { .. }` (Some) or `mod name;` (None).
    Module(Option<Vec<Item>>),
    /// One `use` declaration, flattened to its leaves.
    Use(Vec<UseLeaf>),
    /// `extern crate name as alias;`
    ExternCrate(Option<String>),
    /// A constant or associated constant.
    Const(Option<Type>, Option<Expr>),
    /// A static.
    Static(Option<Type>, Option<Expr>),
    /// A type alias or associated type.
    TypeAlias(Option<Type>),
    /// A macro called in item position.
    Macro(MacroCall),
    /// `macro_rules! name { .. }`: its tokens.
    MacroRules(Vec<Token>),
    /// Anything else.
    Other,
}

/// One leaf of a `use` tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UseLeaf {
    /// The full path as written, `["crate", "http", "error", "Error"]`; a glob's path is its folder.
    pub path: Vec<String>,
    /// The name it is bound to; `None` for a glob. `_` where renamed to nothing.
    pub name: Option<String>,
    /// Where the leaf stands.
    pub span: Span,
}

/// A struct's or variant's field.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name; its index for tuple fields.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The whole field.
    pub span: Span,
}

/// A variant of an enum.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The whole variant.
    pub span: Span,
}

/// An `impl` block.
#[derive(Clone, PartialEq, Debug)]
pub struct Impl {
    /// The trait with its arguments, where it implements one.
    pub of_trait: Option<Type>,
    /// The type.
    pub for_type: Type,
    /// Items.
    pub items: Vec<Item>,
}

/// A function.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// `async fn`.
    pub is_async: bool,
    /// Has a `self` receiver.
    pub has_self: bool,
    /// Parameters without `self`.
    pub parameters: Vec<Parameter>,
    /// Return type.
    pub returns: Option<Type>,
    /// Body; `None` in traits and extern blocks.
    pub body: Option<Block>,
}

/// A parameter of a function or closure.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// The pattern.
    pub pattern: Pattern,
    /// The type; `None` for untyped closure parameters.
    pub ty: Option<Type>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
}

/// A type, reduced to its path and arguments.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Type {
    /// The type as text, with single spaces where they matter: `Result<Json<User>, ApiError>`.
    pub text: String,
    /// Segments of the outermost path, references and `dyn`/`impl` stripped: `["axum", "Json"]`. Empty for tuples,
    /// slices, functions.
    pub path: Vec<String>,
    /// Type arguments of the last segment; elements of a tuple, array or slice; bounds of `impl A + B`.
    pub arguments: Vec<Type>,
    /// Where.
    pub span: Span,
}

/// A path in an expression.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Path {
    /// Segments as written: `["Router", "new"]`. `<T as Trait>::f` is `["T", "f"]`, `::name::f` is `["", "name", "f"]`.
    pub segments: Vec<String>,
    /// Type arguments of the last segment that has any.
    pub arguments: Vec<Type>,
    /// Where.
    pub span: Span,
}

impl Path {
    /// Joined by `::`.
    pub fn text(&self) -> String {
        self.segments.join("::")
    }

    /// Last segment, empty for an empty path.
    pub fn last(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// Whether it is one segment equal to `name`.
    pub fn is(&self, name: &str) -> bool {
        self.segments.len() == 1 && self.segments[0] == name
    }
}

/// A literal.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// A string, unescaped.
    Text(String),
    /// A byte string or C string, lossily as text.
    Bytes(String),
    /// An integer; `None` above `i128`.
    Integer(Option<i128>),
    /// A float.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A character or byte.
    Char(char),
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: Box<ExprKind>,
}

/// Kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the names are those of the language
pub enum ExprKind {
    Path(Path),
    Literal(Literal),
    /// `function(arguments)`.
    Call {
        function: Expr,
        arguments: Vec<Expr>,
    },
    /// `receiver.method::<turbofish>(arguments)`.
    MethodCall {
        receiver: Expr,
        method: String,
        method_span: Span,
        turbofish: Vec<Type>,
        arguments: Vec<Expr>,
    },
    /// `base.name`; tuple fields by index.
    Field {
        base: Expr,
        name: String,
    },
    Index {
        base: Expr,
        index: Expr,
    },
    Macro(MacroCall),
    Closure {
        parameters: Vec<Parameter>,
        body: Expr,
        is_async: bool,
    },
    Block(Block),
    /// `async { .. }`.
    Async(Block),
    Struct {
        path: Path,
        fields: Vec<(String, Expr)>,
        rest: Option<Expr>,
    },
    If {
        condition: Expr,
        then: Block,
        otherwise: Option<Expr>,
    },
    Match {
        on: Expr,
        arms: Vec<Arm>,
    },
    Loop(Block),
    While {
        condition: Expr,
        body: Block,
    },
    For {
        pattern: Pattern,
        iterated: Expr,
        body: Block,
    },
    /// `let pattern = value` in a condition.
    Let {
        pattern: Pattern,
        value: Expr,
    },
    Assign {
        left: Expr,
        right: Expr,
    },
    /// `left op right`, compound assignment included (`+=`).
    Binary {
        operator: String,
        left: Expr,
        right: Expr,
    },
    /// `-x`, `!x`, `*x`.
    Unary {
        operator: char,
        operand: Expr,
    },
    Reference(Expr),
    Cast {
        value: Expr,
        ty: Type,
    },
    Await(Expr),
    /// `value?`.
    Try(Expr),
    Return(Option<Expr>),
    Break(Option<Expr>),
    Tuple(Vec<Expr>),
    Array(Vec<Expr>),
    /// `[value; length]`.
    Repeat {
        value: Expr,
        length: Expr,
    },
    Range {
        from: Option<Expr>,
        to: Option<Expr>,
    },
    /// Anything else.
    Other,
}

/// An arm of a `match`.
#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    /// The pattern.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Expr,
    /// `#[cfg(..)]` and others.
    pub attributes: Vec<Attribute>,
}

/// A block.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    /// Statements in order; a block's value is its last statement without a semicolon.
    pub statements: Vec<Statement>,
    /// The block with its braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// `let pattern: ty = value else { .. };`
    Let {
        /// The pattern.
        pattern: Pattern,
        /// The type written.
        ty: Option<Type>,
        /// The value.
        value: Option<Expr>,
        /// The `else` block.
        otherwise: Option<Block>,
        /// `#[cfg(..)]` and others.
        attributes: Vec<Attribute>,
    },
    /// An item inside a function.
    Item(Item),
    /// An expression; `ended` when a semicolon follows.
    Expr {
        /// The expression.
        value: Expr,
        /// Whether a semicolon follows.
        ended: bool,
        /// `#[cfg(..)]` and others.
        attributes: Vec<Attribute>,
    },
}

/// A pattern.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: PatternKind,
}

/// Kinds of patterns.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the names are those of the language
pub enum PatternKind {
    /// `name`, `mut name`, `ref name`, `name @ ..`.
    Name(String),
    Wild,
    /// `Path(a, b)`.
    TupleStruct(Path, Vec<Pattern>),
    /// `Path { field: pattern, .. }`.
    Struct(Path, Vec<(String, Pattern)>),
    Tuple(Vec<Pattern>),
    /// A constant or unit variant.
    Path(Path),
    Literal(Literal),
    Or(Vec<Pattern>),
    /// Slices and anything else, with what it binds.
    Other(Vec<Pattern>),
}

/// A macro call: `path!(..)`.
#[derive(Clone, PartialEq, Debug)]
pub struct MacroCall {
    /// `tracing::info`, `format`, `vec`, ...
    pub path: Path,
    /// `(`, `[` or `{`.
    pub delimiter: char,
    /// The arguments, where the body parses as a list of comma-separated expressions, `key = value` and the field
    /// forms of tracing and slog (`%x`, `?x`, `target: "x"`, `"key" => value`). `matches!`-like bodies give what
    /// parses. `select!`-like and item-like bodies give nothing here but all their tokens.
    pub arguments: Vec<MacroArgument>,
    /// All tokens of the body, delimiters of the call itself left out.
    pub tokens: Vec<Token>,
    /// What it comes to where the same file defines it, places being those of the definition. Arguments that do more
    /// than name something are left out of it: they stand in `arguments`.
    pub expansion: Option<Block>,
    /// The whole call.
    pub span: Span,
}

/// An argument of a macro.
#[derive(Clone, PartialEq, Debug)]
pub struct MacroArgument {
    /// `name` of `name = value`, `name: value` and `"name" => value`; dotted for tracing (`user.id`).
    pub name: Option<String>,
    /// `%` or `?` before the value (`%x`, `?x`).
    pub sigil: Option<char>,
    /// The value. For the shorthand `?x` the path `x`, with `name` set to `x` too.
    pub value: Expr,
}

impl MacroCall {
    /// The first string literal among the unnamed arguments: a log's or `format!`'s message.
    pub fn message(&self) -> Option<(&str, Span)> {
        self.arguments.iter().filter(|argument| argument.name.is_none()).find_map(|argument| {
            match &*argument.value.kind {
                ExprKind::Literal(Literal::Text(text)) => Some((text.as_str(), argument.value.span)),
                _ => None,
            }
        })
    }
}
