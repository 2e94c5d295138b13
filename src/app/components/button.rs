//! What one presses: a button that sends its form, one that is a whole form, or a link that looks
//! like one.

use leptos::prelude::*;

use crate::app::view::FormView;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one main action of a page.
    #[default]
    Primary,
    Quiet,
    Danger,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::Primary => "button primary",
            Kind::Quiet => "button quiet",
            Kind::Danger => "button danger",
        }
    }
}

#[component]
pub fn SubmitButton(#[prop(optional)] kind: Kind, #[prop(into)] label: String) -> impl IntoView {
    view! {
        <button type="submit" class=format!("{} wide", kind.class())>
            {label}
        </button>
    }
}

/// A form of nothing but hidden fields and its button, for actions that change something.
#[component]
pub fn PostButton(#[prop(optional)] kind: Kind, form: FormView) -> impl IntoView {
    let FormView { action, fields, label } = form;
    let hidden = |(name, value)| view! { <input type="hidden" name=name value=value/> };
    view! {
        <form method="post" action=action>
            {fields.into_iter().map(hidden).collect_view()}
            <SubmitButton kind label/>
        </form>
    }
}

#[component]
pub fn LinkButton(
    #[prop(optional)] kind: Kind,
    #[prop(into)] href: String,
    #[prop(into)] label: String,
) -> impl IntoView {
    view! {
        <a class=kind.class() href=href>
            {label}
        </a>
    }
}
