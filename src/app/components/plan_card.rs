//! One plan: what it is, what it costs, what it includes, and the one thing to do about it.

use leptos::prelude::*;
use unsplit_billing::plan::{Interval, TrialCard};

use crate::app::flash::Tone;
use crate::app::format::format_money;
use crate::app::view::{self, FormView, PlanAction, PlanView, PriceView};

use super::{Glyph, Icon, Kind, LinkButton, Pill, PostButton};

#[component]
pub fn PlanCard(plan: PlanView) -> impl IntoView {
    let class = if plan.recommended { "plan surface recommended" } else { "plan surface" };
    let badge = badge(&plan);
    let tick = |feature| view! { <li><Icon glyph=Glyph::Tick/>{feature}</li> };
    let action = action(&plan);
    view! {
        <li class=class>
            <div class="name">
                <h2>{plan.name}</h2>
                {badge}
            </div>
            <p class="tagline">{plan.tagline}</p>
            <Price price=plan.price saved=plan.saved_per_year trial=plan.trial_days.map(|days| (days, plan.trial_card))/>
            <ul class="ticks">{plan.features.into_iter().map(tick).collect_view()}</ul>
            {action}
        </li>
    }
}

fn badge(plan: &PlanView) -> Option<impl IntoView + use<>> {
    let (label, tone) = match plan.action {
        PlanAction::Current => ("Your plan", Tone::Good),
        _ if plan.recommended => ("Recommended", Tone::Info),
        _ => return None,
    };
    let pill = view::Pill { label: label.to_owned(), tone };
    Some(view! { <Pill pill/> })
}

fn words(interval: Interval) -> &'static str {
    match interval {
        Interval::Month => "a month",
        Interval::Year => "a year",
    }
}

#[component]
fn Price(price: Option<PriceView>, saved: Option<i64>, trial: Option<(u32, TrialCard)>) -> impl IntoView {
    let (amount, interval, below) = match price {
        None => ("Free".to_owned(), None, "No card needed".to_owned()),
        Some(price) => {
            let saving = saved.map(|saved| format_money(saved, &price.currency));
            let below = below(price.interval, saving, trial);
            (format_money(price.amount, &price.currency), Some(words(price.interval)), below)
        }
    };
    view! {
        <div class="price">
            <p>
                <strong>{amount}</strong>
                {interval.map(|interval| view! { <span>{format!(" {interval}")}</span> })}
            </p>
            <p class="small">{below}</p>
        </div>
    }
}

fn below(interval: Interval, saving: Option<String>, trial: Option<(u32, TrialCard)>) -> String {
    match (interval, saving, trial) {
        (_, _, Some((days, TrialCard::Required))) => format!("First {days} days free"),
        (_, _, Some((days, TrialCard::Optional))) => format!("First {days} days free, no card needed"),
        (Interval::Year, Some(saving), None) => format!("{saving} less than paying monthly"),
        (Interval::Year, None, None) => "Paid once a year".to_owned(),
        (Interval::Month, _, None) => "Stop at any time".to_owned(),
    }
}

fn action(plan: &PlanView) -> AnyView {
    let kind = if plan.recommended { Kind::Primary } else { Kind::Quiet };
    match (&plan.action, &plan.price) {
        (PlanAction::Subscribe, Some(price)) => {
            let amount = format_money(price.amount, &price.currency);
            let each = words(price.interval);
            let label = match plan.trial_days {
                Some(_) => format!("Try {} free, then {amount} {each}", plan.name),
                None => format!("Subscribe to {}, {amount} {each}", plan.name),
            };
            let interval = price.interval.as_str().to_owned();
            let form = FormView::new("/api/start_checkout", label).with("plan", plan.id.as_str());
            view! { <PostButton kind form=form.with("interval", interval)/> }.into_any()
        }
        (PlanAction::Account, _) => {
            view! { <LinkButton kind=Kind::Quiet href="/account/plan" label=format!("Change to {}", plan.name)/> }.into_any()
        }
        (PlanAction::Current, _) => {
            view! { <LinkButton kind=Kind::Quiet href="/account" label="Go to your account"/> }.into_any()
        }
        (PlanAction::SignUp | PlanAction::Subscribe, _) => {
            let label = format!("Start with {}", plan.name);
            view! { <LinkButton kind=Kind::Quiet href="/signup" label/> }.into_any()
        }
    }
}
