//! Which types a client that was built for one takes for the other.
//!
//! A client that speaks the binary protocol decodes by the type that the server names, and the usual ones (tokio-postgres, sqlx, pgx) first
//! compare that type with the one that they were built for. So a change of type breaks, unless both are of one family in [`FAMILIES`]:
//!
//! | from -> to | verdict | why |
//! |---|---|---|
//! | `text`, `varchar`, `bpchar`, `name`, `citext`, `unknown` | same | the bytes are the text; a string takes each of them |
//! | `numeric(10,2)` -> `numeric`, `varchar(20)` -> `varchar(40)` | same | one type; the modifier is not part of the value |
//! | `int4` -> `int8`, `float4` -> `float8` | breaks | four bytes and eight |
//! | `timestamp` -> `timestamptz` | breaks | the same eight bytes for another moment; clients have two types and refuse |
//! | `json` -> `jsonb` | breaks | `jsonb` is sent with a version byte before the text |
//! | enum -> `text`, `text` -> enum | breaks | the bytes are the text, but clients compare the name of an enum |
//! | `uuid` -> `text`, `bytea` -> `text` | breaks | other bytes |
//! | array -> array | as its elements | the element's type is in the bytes |
//! | composite | same fields in number, name and type | the number of fields is in the bytes |
//! | domain | as its base in a result; another type as a parameter | the server names the base of a result only |

use tokio_postgres::types::{Kind, Type};

/// Types whose values a client decodes in one and the same way.
const FAMILIES: [&[&str]; 1] = [&["text", "varchar", "bpchar", "name", "citext", "unknown"]];

/// A type as far as clients tell types apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    /// Without its schema, which no client compares: `int4`, `status`, `text[]`.
    pub(super) name: String,
    element: Option<Box<TypeName>>,
    /// Of a composite.
    fields: Vec<(String, TypeName)>,
}

impl TypeName {
    pub(super) fn of(described: &Type) -> TypeName {
        match described.kind() {
            Kind::Array(element) => {
                let element = TypeName::of(element);
                TypeName { name: format!("{}[]", element.name), element: Some(Box::new(element)), fields: Vec::new() }
            }
            Kind::Composite(fields) => {
                let fields = fields.iter().map(|field| (field.name().to_owned(), TypeName::of(field.type_())));
                TypeName { name: described.name().to_owned(), element: None, fields: fields.collect() }
            }
            _ => TypeName { name: described.name().to_owned(), element: None, fields: Vec::new() },
        }
    }

    /// Whether a client that was built for this one takes the other.
    pub(super) fn is_alike(&self, other: &TypeName) -> bool {
        if let (Some(element), Some(others)) = (&self.element, &other.element) {
            return element.is_alike(others);
        }
        let is_in = |name: &str| FAMILIES.iter().position(|family| family.contains(&name));
        let is_same =
            self.name == other.name || is_in(&self.name).is_some_and(|family| is_in(&other.name) == Some(family));
        let is_field = |((name, mine), (others_name, others)): (&(String, TypeName), &(String, TypeName))| {
            name == others_name && mine.is_alike(others)
        };
        is_same && self.fields.len() == other.fields.len() && self.fields.iter().zip(&other.fields).all(is_field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_one_takes_the_other_or_does_not() {
        for (from, to, alike) in [
            (Type::TEXT, Type::VARCHAR, true),
            (Type::BPCHAR, Type::NAME, true),
            (Type::NUMERIC, Type::NUMERIC, true),
            (Type::TEXT_ARRAY, Type::VARCHAR_ARRAY, true),
            (Type::INT4, Type::INT8, false),
            (Type::FLOAT4, Type::FLOAT8, false),
            (Type::TIMESTAMP, Type::TIMESTAMPTZ, false),
            (Type::JSON, Type::JSONB, false),
            (Type::UUID, Type::TEXT, false),
            (Type::TEXT, Type::TEXT_ARRAY, false),
            (Type::INT4_ARRAY, Type::INT8_ARRAY, false),
        ] {
            assert_eq!(TypeName::of(&from).is_alike(&TypeName::of(&to)), alike, "{from} -> {to}");
        }
    }

    #[test]
    fn an_enum_is_its_name_and_a_composite_its_fields() {
        let of = |name: &str, oid, kind| TypeName::of(&Type::new(name.to_owned(), oid, kind, "core".to_owned()));
        let field = |name: &str, of: Type| tokio_postgres::types::Field::new(name.to_owned(), of);
        let labels = |labels: &[&str]| Kind::Enum(labels.iter().map(|&label| label.to_owned()).collect());
        assert!(of("status", 1, labels(&["a"])).is_alike(&of("status", 2, labels(&["a", "b"]))));
        assert!(!of("status", 1, labels(&["a"])).is_alike(&of("state", 1, labels(&["a"]))));
        assert!(!of("status", 1, labels(&["a"])).is_alike(&TypeName::of(&Type::TEXT)));
        let one = of("t", 1, Kind::Composite(vec![field("a", Type::INT4)]));
        assert!(one.is_alike(&of("t", 2, Kind::Composite(vec![field("a", Type::INT4)]))));
        assert!(!one.is_alike(&of("t", 2, Kind::Composite(vec![field("a", Type::INT4), field("b", Type::INT4)]))));
        assert!(!one.is_alike(&of("t", 2, Kind::Composite(vec![field("a", Type::INT8)]))));
    }
}
