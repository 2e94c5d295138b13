//! Form fields: label, hint, input and error, tied together for assistive technology.
//! What was typed and what was wrong with it come from the flash.

use leptos::prelude::*;

use crate::app::flash::Flash;
use crate::app::islands::RevealPassword;

use super::{Glyph, Icon};

/// What a form is for, which decides what a password manager offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignUp,
    LogIn,
}

/// The ids of what belongs to a field, for aria-describedby.
fn described_by(name: &str, hint: Option<&str>, error: Option<&String>) -> Option<String> {
    let hint = hint.map(|_| format!("{name}-hint"));
    let error = error.map(|_| format!("{name}-error"));
    let ids: Vec<String> = [hint, error].into_iter().flatten().collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

#[component]
fn FieldParts(
    name: &'static str,
    label: &'static str,
    hint: Option<&'static str>,
    error: Option<String>,
    children: Children,
) -> impl IntoView {
    let hint = hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> });
    let error = error.map(|error| {
        view! {
            <p class="error" id=format!("{name}-error")>
                <Icon glyph=Glyph::Alert/>
                {error}
            </p>
        }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint}
            {error}
            <div class="input">{children()}</div>
        </div>
    }
}

#[component]
pub fn EmailField(purpose: Purpose) -> impl IntoView {
    let flash = use_context::<Flash>().unwrap_or_default();
    let error = flash.error("email");
    let described_by = described_by("email", None, error.as_ref());
    let invalid = error.is_some().then_some("true");
    let autocomplete = match purpose {
        Purpose::SignUp => "email",
        Purpose::LogIn => "username",
    };
    view! {
        <FieldParts name="email" label="Email" hint=None error>
            <input
                id="email"
                name="email"
                type="email"
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required
                value=flash.value("email")
                aria-describedby=described_by
                aria-invalid=invalid
            />
        </FieldParts>
    }
}

#[component]
pub fn PasswordField(
    purpose: Purpose,
    #[prop(optional_no_strip)] hint: Option<&'static str>,
) -> impl IntoView {
    let error = use_context::<Flash>().unwrap_or_default().error("password");
    let described_by = described_by("password", hint, error.as_ref());
    let invalid = error.is_some().then_some("true");
    let autocomplete = match purpose {
        Purpose::SignUp => "new-password",
        Purpose::LogIn => "current-password",
    };
    view! {
        <FieldParts name="password" label="Password" hint error>
            <input
                id="password"
                name="password"
                type="password"
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required
                aria-describedby=described_by
                aria-invalid=invalid
            />
            <RevealPassword/>
        </FieldParts>
    }
}
