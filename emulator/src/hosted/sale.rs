//! What the checkout page says of a sale: its title, what is bought and what is due, and the words of the button. A
//! subscription says what it will cost later, a payment only what is due now.

use maud::{Markup, html};

use super::checkout::{Sold, View};
use super::entry::Errors;
use super::{promotion, quantities};
use crate::billing::checkout::is_payment;
use crate::billing::money;
use crate::billing::setup_session::is_setup;
use crate::billing::subscription::Line;
use crate::state::{number, text};

pub fn title(view: &View) -> String {
    if is_setup(&view.session) {
        return super::setup::TITLE.to_owned();
    }
    if is_payment(&view.session) {
        return format!("{} {}", verb(view), merchant(view));
    }
    let name = recurring(view).next().map_or("", |sold| sold.name.as_str());
    match view.trial_days {
        Some(_) => format!("Try {name}"),
        None => format!("Subscribe to {name}"),
    }
}

/// `Pay $12.00`, `Subscribe`, `Start trial`.
pub fn button(view: &View) -> String {
    match view.trial_days {
        _ if is_payment(&view.session) && number(&view.session, "amount_total") == 0 => {
            "Complete order".to_owned()
        }
        _ if is_payment(&view.session) => format!("{} {}", verb(view), today(view)),
        Some(_) => "Start trial".to_owned(),
        None => "Subscribe".to_owned(),
    }
}

pub fn facts(view: &View, title: &str, errors: &Errors) -> Markup {
    html! {
        p.soft {
            @if let Some(url) = view.session["cancel_url"].as_str() { a href=(url) { "Back" } " to " }
            (merchant(view))
        }
        h1 { (title) }
        @if is_payment(&view.session) { p.amount { (today(view)) } } @else { (later(view)) }
        dl {
            @for sold in &view.lines { (row(view, sold)) }
            (promotion::row(view))
            div.total { dt { "Total due today" } dd { (today(view)) } }
        }
        (quantities::form(view, errors))
        (promotion::form(view, errors))
    }
}

fn row(view: &View, sold: &Sold) -> Markup {
    let amount = money::format(sold.line.amount(), text(&view.session, "currency"));
    html! {
        div {
            dt { (sold.name) @if sold.line.quantity != 1 { " × " (sold.line.quantity) } }
            dd { (amount) @if !sold.line.price["recurring"].is_null() { " / " (per(&sold.line)) } }
        }
    }
}

/// What a subscription costs from period to period.
fn later(view: &View) -> Markup {
    let currency = text(&view.session, "currency");
    let amount: i64 = recurring(view).map(|sold| sold.line.amount()).sum();
    let amount = money::format(amount, currency);
    let per = recurring(view).next().map(|sold| per(&sold.line)).unwrap_or_default();
    html! {
        p.amount { (amount) " per " (per) }
        @if let Some(days) = view.trial_days {
            p.soft { (days) " days free, then " (amount) " per " (per) ". Cancel before the trial ends and you pay nothing." }
        }
    }
}

fn recurring(view: &View) -> impl Iterator<Item = &Sold> {
    view.lines.iter().filter(|sold| !sold.line.price["recurring"].is_null())
}

fn per(line: &Line) -> String {
    let recurring = &line.price["recurring"];
    money::per(text(recurring, "interval"), number(recurring, "interval_count"))
}

fn today(view: &View) -> String {
    money::format(number(&view.session, "amount_total"), text(&view.session, "currency"))
}

fn verb(view: &View) -> &'static str {
    match text(&view.session, "submit_type") {
        "book" => "Book",
        "donate" => "Donate",
        _ => "Pay",
    }
}

/// The shop, by the address that the buyer comes from.
fn merchant(view: &View) -> &str {
    text(&view.session, "success_url").split('/').nth(2).unwrap_or_default()
}
