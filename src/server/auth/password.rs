//! A password on its way to the hash. It can be neither printed nor stored: only `hasher` reads it.

/// What was typed, as it was typed: any characters, spaces at the ends included.
pub struct Password(String);

/// Why a text is no password; says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("Enter your password.")]
    Missing,
    #[error("Use at least {SHORTEST} characters.")]
    TooShort,
    #[error("Use at most {LONGEST} characters.")]
    TooLong,
}

const SHORTEST: usize = 10;
const LONGEST: usize = 128;

impl Password {
    /// A new password. Length is all that is asked: rules about kinds of characters make
    /// passwords worse (NIST SP 800-63B).
    ///
    /// # Errors
    /// `InvalidPassword` for fewer than 10 or more than 128 characters.
    pub fn chosen(text: &str) -> Result<Self, InvalidPassword> {
        let typed = Self::typed(text)?;
        if text.chars().count() < SHORTEST {
            return Err(InvalidPassword::TooShort);
        }
        Ok(typed)
    }

    /// A password to compare: what may be chosen can change, so only the length that
    /// the hash must read is bounded.
    ///
    /// # Errors
    /// `InvalidPassword` for none, or more than 128 characters.
    pub fn typed(text: &str) -> Result<Self, InvalidPassword> {
        match text.chars().take(LONGEST + 1).count() {
            0 => Err(InvalidPassword::Missing),
            length if length > LONGEST => Err(InvalidPassword::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(Password::chosen("ééééééééé").err(), Some(InvalidPassword::TooShort));
        assert!(Password::chosen("éééééééééé").is_ok());
        assert!(Password::chosen(&"é".repeat(128)).is_ok());
        assert_eq!(Password::chosen(&"é".repeat(129)).err(), Some(InvalidPassword::TooLong));
        assert_eq!(Password::chosen("").err(), Some(InvalidPassword::Missing));
        assert!(Password::typed("short").is_ok());
        assert!(Password::chosen("          ").is_ok());
    }

    #[test]
    fn the_messages_name_the_numbers() {
        assert_eq!(InvalidPassword::TooShort.to_string(), "Use at least 10 characters.");
    }
}
