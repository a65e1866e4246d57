//! What filters say, and what is none.

use proptest::prelude::*;

use super::parse::BYTES_MAX;
use super::*;

fn attributes(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn holds(text: &str, pairs: &[(&str, &str)]) -> bool {
    parse(text).unwrap().holds(&attributes(pairs))
}

#[test]
fn each_condition_takes_what_it_says() {
    let order = [("kind", "order.paid"), ("iana.org/language_tag", "en")];
    for (text, wanted) in [
        ("attributes:kind", true),
        ("attributes:none", false),
        ("attributes:\"iana.org/language_tag\"", true),
        ("attributes.kind = \"order.paid\"", true),
        ("attributes.kind=\"order\"", false),
        ("attributes.kind != \"order\"", true),
        ("attributes.kind != \"order.paid\"", false),
        ("attributes.none != \"x\"", true),
        ("attributes.none = \"\"", false),
        ("hasPrefix(attributes.kind, \"order.\")", true),
        ("hasPrefix(attributes.kind, \"\")", true),
        ("hasPrefix(attributes.none, \"\")", false),
        ("hasPrefix(attributes.kind, \"paid\")", false),
        ("attributes.\"iana.org/language_tag\" = \"en\"", true),
        ("NOT attributes:kind", false),
        ("-attributes:none", true),
        ("NOT NOT attributes:kind", true),
        ("attributes:kind AND attributes:none", false),
        ("attributes:none OR attributes:kind", true),
        ("NOT attributes:none AND attributes:kind", true),
        (
            "attributes:kind AND (attributes:none OR attributes.kind = \"order.paid\")",
            true,
        ),
        ("NOT (attributes:kind OR attributes:none)", false),
        ("  (\tattributes : kind\n)  ", true),
        ("attributes.kind = \"ORDER.PAID\"", false),
    ] {
        assert_eq!(holds(text, &order), wanted, "{text}");
    }
}

#[test]
fn keys_may_hold_hyphens_and_look_like_operators() {
    for key in ["ce-type", "0", "AND", "NOT", "attributes", "hasPrefix"] {
        let text = format!("attributes.{key} = \"v\"");
        assert!(holds(&text, &[(key, "v")]), "{text}");
        assert!(!holds(&text, &[("other", "v")]), "{text}");
    }
}

#[test]
fn a_text_may_hold_anything_by_escapes() {
    for (text, value) in [
        (r#""a\"b""#, "a\"b"),
        (r#""a\\b""#, "a\\b"),
        (r#""\n\t\r""#, "\n\t\r"),
        (r#""\x41\101\u00e9\U0001F600""#, "AAé😀"),
        (r#""é😀 AND )""#, "é😀 AND )"),
    ] {
        let filter = format!("attributes.k = {text}");
        assert!(holds(&filter, &[("k", value)]), "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused_at_its_place() {
    for (text, why) in [
        (" ", "at byte 1"),
        ("kind = \"x\"", "at byte 0"),
        ("attributes", "at byte 10, `.`"),
        ("attributes.kind", "at byte 15, = or !="),
        ("attributes.kind = x", "at byte 18, a text"),
        ("attributes.kind > \"x\"", "'>' means nothing"),
        ("attributes.kind ! \"x\"", "'!' means nothing"),
        ("attributes.kind = 'x'", "means nothing"),
        ("attributes.kind = \"x", "has no end"),
        ("attributes.kind = \"\\q\"", "escape"),
        ("attributes.kind = \"\\ud800\"", "escape"),
        ("attributes.kind = \"\\777\"", "escape"),
        ("attributes.\"\" = \"x\"", "an attribute's key"),
        ("attributes:", "an attribute's key"),
        ("hasPrefix(attributes:kind, \"x\")", "`.`"),
        ("hasPrefix(attributes.kind \"x\")", "`,`"),
        ("hasprefix(attributes.kind, \"x\")", "at byte 0"),
        ("(attributes:kind", "`)`"),
        ("attributes:kind)", "AND, OR or the end"),
        ("attributes:a attributes:b", "AND, OR or the end"),
        ("attributes:a and attributes:b", "AND, OR or the end"),
        ("attributes:a AND", "at byte 16"),
        ("NOT", "at byte 3"),
        ("attributes:a AND attributes:b OR attributes:c", "mixture"),
    ] {
        let refusal = parse(text).unwrap_err();
        assert!(refusal.contains(why), "{text}: {refusal}");
    }
    let long = format!("attributes.k = \"{}\"", "x".repeat(BYTES_MAX - 17));
    assert!(parse(&long).is_ok(), "{} bytes", long.len());
    assert!(parse(&format!("{long} ")).is_err());
    let deep = "(".repeat(BYTES_MAX);
    assert!(parse(&deep).is_err());
    let nots = format!("{}attributes:k", "-".repeat(BYTES_MAX - 12));
    assert!(holds(&nots, &[("k", "")]));
}

/// Writes an expression as text, every part of it in parentheses.
fn written(expression: &Expression) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let joined = |parts: &[Expression], operator: &str| {
        let parts: Vec<String> = parts
            .iter()
            .map(|it| format!("({})", written(it)))
            .collect();
        parts.join(operator)
    };
    match expression {
        Expression::Has(key) => format!("attributes:{}", quoted(key)),
        Expression::Is(key, value) => format!("attributes.{}={}", quoted(key), quoted(value)),
        Expression::Starts(key, start) => {
            format!("hasPrefix(attributes.{},{})", quoted(key), quoted(start))
        }
        Expression::Not(inner) => format!("NOT({})", written(inner)),
        Expression::All(parts) => joined(parts, "AND"),
        Expression::Any(parts) => joined(parts, "OR"),
    }
}

fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        "[a-c\"\\\\]{1,2}".prop_map(Expression::Has),
        ("[a-c]{1,2}", "\\PC{0,2}").prop_map(|(key, value)| Expression::Is(key, value)),
        ("[a-c]{1,2}", "[a-c]{0,2}").prop_map(|(key, start)| Expression::Starts(key, start)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|inner| Expression::Not(Box::new(inner))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
            proptest::collection::vec(inner, 2..4).prop_map(Expression::Any),
        ]
    })
}

proptest! {
    #[test]
    fn an_expression_survives_its_text(expression in expressions()) {
        let text = written(&expression);
        match parse(&text) {
            Ok(read) => prop_assert_eq!(read, expression, "{}", text),
            Err(why) => prop_assert!(text.len() > BYTES_MAX, "{}: {}", text, why),
        }
    }
}
