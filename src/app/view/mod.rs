//! What each page shows, as plain data: built on the server by pure functions, rendered by
//! `pages`. May not fetch anything, and may not hold anything a page does not show.

mod account;
mod change;
mod invoices;
mod leaving;
mod payment;
mod pricing;
mod refusal;
mod status;
mod trial;
mod wording;
mod year_ahead;

pub use account::account_view;
pub use change::{ChangeView, Confirm, ConfirmView, Offer, change_view, priced};
pub use invoices::{InvoiceRow, InvoicesView};
pub use leaving::{LeavingView, REASONS, leaving_view};
pub use payment::{PaymentView, payment_view};
pub use pricing::{Trials, pricing_view};
pub use refusal::refused;
pub use status::banner;
pub use wording::{Wording, active_view, open_payment_view, plan_name};
pub use year_ahead::year_ahead;

use serde::{Deserialize, Serialize};
use unsplit_billing::id::PlanId;
use unsplit_billing::money::Currency;
use unsplit_billing::plan::{Interval, TrialCard};

use super::flash::Tone;

/// Who looks at the page, as far as every page's frame shows it. The server provides it as
/// context; without it a page is shown as to a stranger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameView {
    pub signed_in: bool,
    /// No real money moves: the emulator, or Stripe's test mode.
    pub test_mode: bool,
}

/// Which version of the subscription a page shows, for the script that keeps it up to date. The server
/// provides it as context where the page's data is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(pub String);

/// A price as it is sold. `amount` is in the currency's minor unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceView {
    pub amount: i64,
    pub currency: Currency,
    pub interval: Interval,
}

/// What the visitor can do about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanAction {
    /// It costs nothing: an account is enough.
    SignUp,
    Subscribe,
    /// It is the one they have.
    Current,
    /// They have another one, and look after it on the account page.
    Account,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    pub id: PlanId,
    pub name: String,
    pub tagline: String,
    pub features: Vec<String>,
    /// `None` where the plan is free.
    pub price: Option<PriceView>,
    /// What a year saves against twelve months, in the price's minor unit. Only with a yearly price.
    pub saved_per_year: Option<i64>,
    pub recommended: bool,
    /// `None` also for who has had their trial.
    pub trial_days: Option<u32>,
    pub trial_card: TrialCard,
    pub action: PlanAction,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricingView {
    pub plans: Vec<PlanView>,
    pub interval: Interval,
    /// Whether any plan has a yearly price, and so whether there is a choice.
    pub yearly: bool,
    /// The most that a year saves, as text.
    pub saving: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    pub tone: Tone,
    pub title: String,
    pub text: String,
    pub action: Option<Link>,
    /// Where the thing to do changes something.
    pub form: Option<FormView>,
}

/// A form of nothing but its button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormView {
    pub action: String,
    /// Name and value.
    pub fields: Vec<(String, String)>,
    pub label: String,
}

impl FormView {
    #[must_use]
    pub fn new(action: impl Into<String>, label: impl Into<String>) -> Self {
        Self { action: action.into(), fields: Vec::new(), label: label.into() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub label: String,
    pub href: String,
}

impl Link {
    #[must_use]
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

/// A word or two about the state, with a tone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pill {
    pub label: String,
    pub tone: Tone,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    pub email: String,
    pub plan_name: String,
    pub headline: String,
    pub pill: Pill,
    /// The one thing that needs attention, if any.
    pub notice: Option<NoticeView>,
    /// Label and value.
    pub facts: Vec<(String, String)>,
    /// What the plan that may be used includes.
    pub includes: Vec<String>,
    /// Live subscriptions beside the one that is shown, each of which is charged too.
    pub others: Vec<OtherView>,
    /// The one thing to do next.
    pub next: Link,
    /// What else can be done.
    pub more: Vec<Link>,
}

/// A subscription beside the one that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherView {
    pub title: String,
    pub text: String,
    /// `None` where it ends by itself.
    pub cancel: Option<FormView>,
}

/// How a visit to the success page ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuccessView {
    Active(PurchaseView),
    /// The subscription is there, and its payment waits for the buyer.
    NeedsPayment(OpenPaymentView),
    /// The subscription is there, and something other than its payment keeps it from working.
    NoAccess {
        plan_name: String,
    },
    /// The checkout is complete, and the subscription is on its way. `received`: so has the money.
    Processing {
        received: bool,
    },
    /// Stripe does not answer.
    Unreachable,
    /// The newest checkout was completed, and what it bought is over.
    Ended,
    /// Cancelled or never paid, which Stripe has confirmed.
    NotPaid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseView {
    pub plan_name: String,
    /// Label and value: the next date, the amount, the card.
    pub facts: Vec<(String, String)>,
    pub receipt_url: Option<String>,
}

/// A payment that the buyer has to finish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPaymentView {
    pub plan_name: String,
    /// Stripe's page of the open invoice, where it can be paid.
    pub pay_url: Option<String>,
}

/// The gated page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureView {
    Open(Box<YearAheadView>),
    Locked,
}

/// Every payment of the next twelve months.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearAheadView {
    pub plan_name: String,
    /// What the plan needs of its owner: a payment that failed, a trial's end.
    pub notice: Option<NoticeView>,
    /// Day and amount.
    pub payments: Vec<(String, String)>,
    pub total: String,
    /// Why there are no more, where there are not.
    pub note: Option<String>,
}
