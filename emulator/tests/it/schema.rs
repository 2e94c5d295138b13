//! Reads the schemas that `make schemas` derives from the types of Stripe's own library, and says where a value
//! departs from them. It knows only the words of JSON Schema that are used there, and meets any other with a panic.

use std::sync::OnceLock;

use serde_json::Value;

/// What is wrong, and where: `at` is the path in the value, `of` the definition and the field, for example
/// `Invoice.lines`.
#[derive(Debug)]
pub struct Problem {
    pub at: String,
    pub of: String,
    pub what: String,
}

/// The schemas of all objects, as the file has them.
pub fn objects() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| serde_json::from_str(include_str!("../schemas/objects.json")).unwrap())
}

/// The parameters of all endpoints, as the file has them.
pub fn parameters() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| serde_json::from_str(include_str!("../schemas/parameters.json")).unwrap())
}

/// The problems of a value with the definition of this name.
pub fn problems(definition: &str, value: &Value, at: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = Place { at: at.to_owned(), of: definition.to_owned() };
    check(named(definition), value, &place, &mut problems);
    problems
}

#[derive(Clone)]
struct Place {
    at: String,
    of: String,
}

impl Place {
    fn problem(&self, what: String) -> Problem {
        Problem { at: self.at.clone(), of: self.of.clone(), what }
    }
}

fn named(definition: &str) -> &'static Value {
    let schema = &objects()["$defs"][definition];
    assert!(schema.is_object(), "no definition {definition}");
    schema
}

fn check(schema: &'static Value, value: &Value, place: &Place, problems: &mut Vec<Problem>) {
    for (word, says) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let name = says.as_str().unwrap().trim_start_matches("#/$defs/");
                check(named(name), value, &Place { of: name.to_owned(), ..place.clone() }, problems);
            }
            "anyOf" => any_of(says.as_array().unwrap(), value, place, problems),
            "type" if value.is_f64() && !may_be_fraction(&place.of) => {
                problems.push(place.problem(format!("{value} is no integer")));
            }
            "type" if !is_of_type(says, value) => {
                problems.push(place.problem(format!("{value} is no {says}")))
            }
            "const" if says != value => problems.push(place.problem(format!("{value} is not {says}"))),
            "enum" if !says.as_array().unwrap().contains(value) => {
                problems.push(place.problem(format!("{value} is not among the values that the types know")));
            }
            "required" => required(says.as_array().unwrap(), value, place, problems),
            "properties" | "additionalProperties" if value.is_object() => {}
            "items" => elements(says, value, place, problems),
            "type" | "const" | "enum" | "properties" | "additionalProperties" => {}
            other => panic!("the schemas use {other}, which is not read here"),
        }
    }
    if schema.get("additionalProperties").is_some() {
        fields(schema, value, place, problems);
    }
}

/// The types say number for everything. Stripe's specification has integers but for shares, such as `percent_off`,
/// and what is exact to more than a unit, such as `unit_amount_decimal`, is a text.
fn may_be_fraction(of: &str) -> bool {
    of.contains("percent")
}

/// As JSON Schema calls it.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = type_of(value);
    types == is || types.as_array().is_some_and(|types| types.iter().any(|one| one == is))
}

fn required(names: &'static [Value], value: &Value, place: &Place, problems: &mut Vec<Problem>) {
    let Some(object) = value.as_object() else { return };
    for name in names.iter().map(|name| name.as_str().unwrap()) {
        if !object.contains_key(name) {
            problems.push(field(place, name).problem("is missing".to_owned()));
        }
    }
}

fn elements(schema: &'static Value, value: &Value, place: &Place, problems: &mut Vec<Problem>) {
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        check(schema, element, &Place { at: format!("{}[{index}]", place.at), ..place.clone() }, problems);
    }
}

fn fields(schema: &'static Value, value: &Value, place: &Place, problems: &mut Vec<Problem>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let place = field(place, name);
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(known), _) => check(known, inner, &place, problems),
            (None, Value::Bool(_)) => problems.push(place.problem("is unknown to the types".to_owned())),
            (None, map) => check(map, inner, &place, problems),
        }
    }
}

fn field(place: &Place, name: &str) -> Place {
    Place { at: format!("{}.{name}", place.at), of: format!("{}.{name}", place.of) }
}

/// One of the alternatives must fit. If none does, the one that is meant speaks: it has the value's `object`, and
/// the fewest problems.
fn any_of(all: &'static [Value], value: &Value, place: &Place, problems: &mut Vec<Problem>) {
    let meant = all.iter().filter(|schema| is_meant(schema, value));
    let found = meant.map(|schema| {
        let mut found = Vec::new();
        check(schema, value, place, &mut found);
        found
    });
    match found.min_by_key(Vec::len) {
        Some(found) => problems.extend(found),
        None => problems.push(place.problem(format!("{value} is nothing of what may stand here"))),
    }
}

fn is_meant(schema: &'static Value, value: &Value) -> bool {
    let schema = match schema["$ref"].as_str() {
        Some(name) => named(name.trim_start_matches("#/$defs/")),
        None => schema,
    };
    let fits = schema.get("type").is_none_or(|types| is_of_type(types, value));
    let property = |name: &str| schema["properties"][name].get("const");
    let is = |name: &str| property(name).is_none_or(|wanted| *wanted == value[name]);
    fits && is("object") && is("deleted") && (value["deleted"] != true || property("deleted").is_some())
}
