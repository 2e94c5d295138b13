//! A PDF of text and lines, from the top of a page to its foot and on to the next one. Knows paper and letters,
//! nothing of what is written. Its streams are not compressed, so that a test or a person can read them.

mod helvetica;

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

pub use self::helvetica::width;

/// Lengths are in points, of which an inch has 72.
pub const MARGIN: f32 = 50.0;
const LINE_HEIGHT: f32 = 1.4;
const REGULAR: Name = Name(b"Regular");
const BOLD: Name = Name(b"Bold");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    A4,
    Letter,
}

impl Paper {
    fn size(self) -> (f32, f32) {
        match self {
            Paper::A4 => (595.0, 842.0),
            Paper::Letter => (612.0, 792.0),
        }
    }
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub size: f32,
    pub is_bold: bool,
    /// 0 is black, 1 is white.
    pub gray: f32,
}

impl Style {
    pub const PLAIN: Style = Style { size: 9.5, is_bold: false, gray: 0.1 };
    pub const BOLD: Style = Style { is_bold: true, ..Style::PLAIN };
    pub const SOFT: Style = Style { gray: 0.4, ..Style::PLAIN };
    pub const SMALL: Style = Style { size: 8.0, ..Style::SOFT };
    pub const TITLE: Style = Style { size: 22.0, ..Style::BOLD };
    pub const LEAD: Style = Style { size: 13.0, ..Style::BOLD };

    /// From one line to the next.
    pub fn line(self) -> f32 {
        self.size * LINE_HEIGHT
    }
}

/// What is written so far, and how far down the present page.
pub struct Document {
    paper: Paper,
    pages: Vec<Content>,
    /// The top of the next line, from the top of the page.
    pub at: f32,
}

impl Document {
    pub fn new(paper: Paper) -> Document {
        Document { paper, pages: vec![Content::new()], at: MARGIN }
    }

    /// Where the right margin begins.
    pub fn right(&self) -> f32 {
        self.paper.size().0 - MARGIN
    }

    /// Goes to a new page unless so much has room on this one. Whether it did.
    pub fn make_room(&mut self, height: f32) -> bool {
        let is_full = self.at + height > self.paper.size().1 - MARGIN - Style::SMALL.line() * 2.0;
        if is_full {
            self.pages.push(Content::new());
            self.at = MARGIN;
        }
        is_full
    }

    pub fn down(&mut self, by: f32) {
        self.at += by;
    }

    /// Writes a line here, and stays.
    pub fn put(&mut self, x: f32, text: &str, style: Style) {
        let y = self.paper.size().1 - self.at - style.size;
        if let Some(page) = self.pages.last_mut() {
            write(page, (x, y), text, style);
        }
    }

    /// The same with the line's end at `right`.
    pub fn put_right(&mut self, right: f32, text: &str, style: Style) {
        self.put(right - width(text, style.size, style.is_bold), text, style);
    }

    /// Writes a text in as many lines as it takes, and goes below them.
    pub fn put_text(&mut self, x: f32, most: f32, text: &str, style: Style) {
        for line in wrap(text, most, style) {
            self.make_room(style.line());
            self.put(x, &line, style);
            self.down(style.line());
        }
    }

    /// A thin line across, here.
    pub fn rule(&mut self, from: f32, to: f32) {
        let y = self.paper.size().1 - self.at;
        if let Some(page) = self.pages.last_mut() {
            page.set_line_width(0.5).set_stroke_gray(0.75);
            page.move_to(from, y).line_to(to, y).stroke();
        }
    }

    /// The file, with a foot on every page.
    pub fn finish(mut self, title: &str, foot: &str) -> Vec<u8> {
        let (of, right) = (self.pages.len(), self.right());
        for (at, page) in self.pages.iter_mut().enumerate() {
            let number = format!("Page {} of {of}", at + 1);
            let x = right - width(&number, Style::SMALL.size, false);
            write(page, (MARGIN, MARGIN), foot, Style::SMALL);
            write(page, (x, MARGIN), &number, Style::SMALL);
        }
        assemble(self.paper.size(), self.pages, title)
    }
}

fn write(page: &mut Content, (x, y): (f32, f32), text: &str, style: Style) {
    let font = if style.is_bold { BOLD } else { REGULAR };
    page.begin_text().set_font(font, style.size).set_fill_gray(style.gray);
    page.next_line(x, y).show(Str(&helvetica::encode(text))).end_text();
}

/// The text in lines that are not wider than `most`. A word that is wider is broken.
pub fn wrap(text: &str, most: f32, style: Style) -> Vec<String> {
    let fits = |line: &str| width(line, style.size, style.is_bold) <= most;
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && fits(&format!("{line} {word}")) {
                line.push(' ');
            } else if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                if !line.is_empty() && !fits(&format!("{line}{letter}")) {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(letter);
            }
        }
        lines.push(line);
    }
    lines
}

fn assemble((width, height): (f32, f32), pages: Vec<Content>, title: &str) -> Vec<u8> {
    let mut next = 1..;
    let mut id = || Ref::new(next.next().unwrap_or(i32::MAX));
    let (catalog, tree, info, regular, bold) = (id(), id(), id(), id(), id());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (id(), id())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("stripe-emulator"));
    for (font, name) in [(regular, "Helvetica"), (bold, "Helvetica-Bold")] {
        let mut font = pdf.type1_font(font);
        font.base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (content, (page, stream)) in pages.into_iter().zip(ids) {
        let mut page = pdf.page(page);
        page.media_box(Rect::new(0.0, 0.0, width, height)).parent(tree).contents(stream);
        page.resources().fonts().pair(REGULAR, regular).pair(BOLD, bold);
        page.finish();
        pdf.stream(stream, &content.finish());
    }
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::{Document, Paper, Style, width, wrap};

    #[test]
    fn a_text_is_wrapped_at_words_and_long_words_are_broken() {
        let lines = wrap("one two three\n\nfour", 40.0, Style::PLAIN);
        assert_eq!(lines, ["one two", "three", "", "four"]);
        let lines = wrap("an unbreakableword", 40.0, Style::PLAIN);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 9.5, false) <= 40.0), "{lines:?}");
        assert_eq!(lines.concat(), "anunbreakableword");
    }

    #[test]
    fn what_has_no_room_goes_to_the_next_page() {
        let mut document = Document::new(Paper::A4);
        assert!(!document.make_room(700.0));
        document.down(700.0);
        assert!(document.make_room(50.0) && document.at < 100.0);
        let file = document.finish("Two", "foot");
        let file = String::from_utf8_lossy(&file);
        assert!(file.contains("/Count 2") && file.contains("(Page 2 of 2) Tj"), "{file}");
    }
}
