//! The parts that pages are made of, one a file. They get plain data, and may not load anything
//! nor know which page they stand on.

mod button;
mod fact_list;
mod feature_list;
mod field;
mod frame;
mod icon;
mod interval_choice;
mod island_scripts;
mod live_script;
mod loaded;
mod notice;
mod pill;
mod plan_card;

pub use button::{Kind, LinkButton, PostButton, SubmitButton};
pub use fact_list::FactList;
pub use feature_list::FeatureList;
pub use field::{EmailField, PasswordField, Purpose};
pub use frame::{Frame, Section};
pub use icon::{Glyph, Icon};
pub use interval_choice::IntervalChoice;
pub use island_scripts::IslandScripts;
pub use live_script::LiveScript;
pub use loaded::loaded;
pub use notice::{FlashNotice, Notice};
pub use pill::Pill;
pub use plan_card::PlanCard;
