//! `/account/invoices`: the next one, and all that there were, a page at a time.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_invoices;
use crate::app::components::{FactList, LinkButton, Notice, Pill, loaded};
use crate::app::view::{InvoiceRow, InvoicesView};

#[component]
pub fn InvoicesPage() -> impl IntoView {
    let after = use_query_map().read_untracked().get("after");
    view! {
        <Title text="Invoices"/>
        <AccountFrame part=Part::Invoices>
            {loaded(load_invoices(after), |view| view! { <Invoices view/> })}
        </AccountFrame>
    }
}

#[component]
fn Invoices(view: InvoicesView) -> impl IntoView {
    let notice = view.notice.map(|notice| view! { <Notice notice/> });
    let upcoming = (!view.upcoming.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h2>"Next invoice"</h2>
                <div class="surface sums">
                    <FactList facts=view.upcoming/>
                </div>
            </section>
        }
    });
    let empty = view.rows.is_empty();
    let turn = [view.newer, view.older].into_iter().flatten();
    let turn = turn.map(|link| view! { <a href=link.href>{link.label}</a> }).collect_view();
    let past = if empty {
        view! {
            <p class="lead">"There are no invoices yet."</p>
            <p class="actions"><LinkButton href="/pricing" label="See plans"/></p>
        }
        .into_any()
    } else {
        view! { <Table rows=view.rows/> }.into_any()
    };
    view! {
        <div class="column">
            {notice}
            <h1>"Invoices"</h1>
            {upcoming}
            {past}
            <nav class="actions" aria-label="More invoices">{turn}</nav>
        </div>
    }
}

#[component]
fn Table(rows: Vec<InvoiceRow>) -> impl IntoView {
    view! {
        <table class="invoices">
            <caption class="visually-hidden">"Your invoices, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col">"Date"</th>
                    <th scope="col">"For"</th>
                    <th scope="col" class="amount">"Amount"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col"><span class="visually-hidden">"Open"</span></th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(|row| view! { <Row row/> }).collect_view()}</tbody>
        </table>
    }
}

#[component]
fn Row(row: InvoiceRow) -> impl IntoView {
    let named = row.number.map_or_else(|| row.date.clone(), |number| format!("invoice {number}"));
    let of_it = named.clone();
    let page = row.page.map(|link| {
        view! {
            <a href=link.href>
                {link.label}
                <span class="visually-hidden">{format!(" {named}")}</span>
            </a>
        }
    });
    let pdf = row.pdf.map(|href| {
        view! {
            <a href=href>
                "PDF"
                <span class="visually-hidden">{format!(" of {of_it}")}</span>
            </a>
        }
    });
    view! {
        <tr>
            <td>{row.date}</td>
            <td>{row.what_for}</td>
            <td class="amount">{row.amount}</td>
            <td><Pill pill=row.status/></td>
            <td class="links">{page} " " {pdf}</td>
        </tr>
    }
}
