//! An e-mail address as a type that parses once, in the one spelling that accounts are found by.
//! May not know whether anybody reads it.

/// Trimmed and in lower case. It neither shows nor prints itself by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// Why a text is not an e-mail address; says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    #[error("Enter your email address.")]
    Missing,
    #[error("Enter an email address of at most 254 characters.")]
    TooLong,
    #[error("Enter an email address like name@example.com.")]
    Malformed,
}

/// What a mail server can be told (RFC 5321).
const LONGEST: usize = 254;
const LONGEST_NAME: usize = 64;
const LONGEST_LABEL: usize = 63;

impl Email {
    /// # Errors
    /// `InvalidEmail` where no mail could get there by the looks of it.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err(InvalidEmail::Missing);
        }
        if text.len() > LONGEST {
            return Err(InvalidEmail::TooLong);
        }
        match text.split_once('@') {
            Some((name, domain)) if is_name(name) && is_domain(domain) => Ok(Self(text)),
            _ => Err(InvalidEmail::Malformed),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(allowed) && !dots
}

/// At least two labels: nobody signs up with a mailbox on `localhost`.
fn is_domain(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || c == '-';
    let hyphens = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && label.len() <= LONGEST_LABEL && label.chars().all(allowed) && !hyphens
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_spelling_for_one_address() {
        for text in ["ada@example.com", " Ada@Example.COM\n", "ADA@EXAMPLE.COM"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), "ada@example.com");
        }
    }

    #[test]
    fn what_mail_can_reach_passes() {
        for text in [
            "a+b@c.de",
            "o'hara@example.co.uk",
            "müller@bücher.example",
            "x@a-b.c1",
            "a.b@xn--bcher-kva.example",
        ] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_no_mail_can_reach_is_refused() {
        for text in [
            "ada",
            "@",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@example.",
            "ada@.com",
            "ada@-a.com",
            "a@b@c.de",
            "a b@c.de",
            "a@b c.de",
            "a\u{0}@b.de",
            "a\u{200b}@b.de",
            "a\r\nBcc: x@b.de",
            "<a@b.de>",
            "a,b@c.de",
            ".a@b.de",
            "a..b@c.de",
        ] {
            assert_eq!(Email::parse(text).err(), Some(InvalidEmail::Malformed), "{text:?}");
        }
        assert_eq!(Email::parse(" \t").err(), Some(InvalidEmail::Missing));
        let domain = vec!["a".repeat(63); 4].join(".");
        assert_eq!(Email::parse(&format!("a@{domain}.de")).err(), Some(InvalidEmail::TooLong));
        assert!(Email::parse(&format!("{}@b.de", "a".repeat(65))).is_err());
    }
}
