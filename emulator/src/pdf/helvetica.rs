//! Helvetica, which every PDF reader has: how wide its letters are, and its 217 characters (WinAnsi, which are
//! those of Western European languages). What it lacks is written as a question mark, where Stripe embeds a font that
//! has it.

/// From the space on, in thousandths of the size, by the code in WinAnsi.
const REGULAR: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350, 556, 350, 222, 556, 333, 1000, 556, 556, 333,
    1000, 667, 333, 1000, 350, 611, 350, 350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944,
    350, 500, 667, 278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584,
    333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611, 667, 667, 667, 667, 667, 667, 1000,
    722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722,
    722, 667, 667, 611, 556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556,
    556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];
const BOLD: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350, 556, 350, 278, 556, 500, 1000, 556, 556, 333,
    1000, 667, 333, 1000, 350, 611, 350, 350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944,
    350, 500, 667, 278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584,
    333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611, 722, 722, 722, 722, 722, 722, 1000,
    722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722,
    722, 667, 667, 611, 556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278, 611,
    611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

/// The characters of 0x80 to 0x9F; those that are nobody's are the control characters with these codes.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text in WinAnsi.
pub fn encode(text: &str) -> Vec<u8> {
    text.chars().map(|letter| code(letter).unwrap_or(b'?')).collect()
}

fn code(letter: char) -> Option<u8> {
    match u8::try_from(u32::from(letter)) {
        Ok(code @ (0x20..=0x7e | 0xa0..)) => Some(code),
        Ok(code) if code < 0x20 => Some(b' '),
        _ => HIGH.iter().position(|known| *known == letter).and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

/// How wide the text is, in the unit of `size`.
pub fn width(text: &str, size: f32, is_bold: bool) -> f32 {
    let widths = if is_bold { &BOLD } else { &REGULAR };
    let of = |code: u8| widths.get(usize::from(code).saturating_sub(0x20)).copied().unwrap_or_default();
    let sum: u32 = encode(text).into_iter().map(|code| u32::from(of(code))).sum();
    f32::from(u16::try_from(sum).unwrap_or(u16::MAX)) * size / 1000.0
}

#[cfg(test)]
mod tests {
    use super::{encode, width};

    #[test]
    fn letters_of_western_europe_are_written_and_others_are_question_marks() {
        assert_eq!(encode("2 × Größe – 5 €"), *b"2 \xd7 Gr\xf6\xdfe \x96 5 \x80");
        assert_eq!(encode("東京\n\u{81}"), *b"?? \x81");
    }

    #[test]
    fn bold_letters_are_wider_and_wide_letters_too() {
        assert!((width("Mi", 10.0, false) - 10.55).abs() < 0.001);
        assert!(width("Total", 10.0, true) > width("Total", 10.0, false));
    }
}
