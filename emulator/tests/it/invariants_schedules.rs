//! The steps of a sequence that are about subscription schedules: making, changing, releasing and canceling them.

use rand::Rng;
use serde_json::Value;

use crate::invariants::Sequence;
use crate::support::id;
use crate::time::DAY;

type Fields = Vec<(String, String)>;

fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl Sequence {
    /// Something about the schedule of this subscription, which gets one if it has none.
    pub async fn schedule(&mut self, subscription: &Value) {
        let Some(schedule) = subscription["schedule"].as_str() else {
            return self
                .try_post("/v1/subscription_schedules", &[("from_subscription", &id(subscription))])
                .await;
        };
        let path = format!("/v1/subscription_schedules/{schedule}");
        match self.dice.random_range(0..8) {
            0 => self.try_post(&format!("{path}/release"), &[]).await,
            1 => {
                let (now, prorate) = (self.pick(&["true", "false"]), self.pick(&["true", "false"]));
                let fields = [("invoice_now", now), ("prorate", prorate)];
                self.try_post(&format!("{path}/cancel"), &fields).await;
            }
            _ => self.replan(&path).await,
        }
    }

    /// The present phase as it is or with another price, and one or two more.
    async fn replan(&mut self, path: &str) {
        let schedule = self.world.stripe.get(path).await;
        let present = &schedule["current_phase"];
        let phases = schedule["phases"].as_array().unwrap();
        let Some(phase) = phases.iter().find(|it| it["start_date"] == present["start_date"]) else { return };
        let mut fields: Fields = vec![("phases[0][start_date]".into(), phase["start_date"].to_string())];
        match self.dice.random_bool(0.7) {
            true => fields.push(("phases[0][end_date]".into(), phase["end_date"].to_string())),
            false => fields.push(("phases[0][duration][interval]".into(), "month".into())),
        }
        let price = phase["items"][0]["price"].as_str().unwrap().to_owned();
        let price = if self.dice.random_bool(0.6) { price } else { self.price() };
        fields.push(("phases[0][items][0][price]".into(), price));
        for number in 1..=self.dice.random_range(1..3) {
            let more = self.phase(number);
            fields.extend(more);
        }
        fields.push(("end_behavior".into(), self.pick(&["release", "cancel"]).into()));
        let prorate = self.pick(&["none", "create_prorations", "always_invoice"]);
        fields.push(("proration_behavior".into(), prorate.into()));
        self.try_post(path, &borrowed(&fields)).await;
    }

    fn phase(&mut self, number: usize) -> Fields {
        let name = |field: &str| format!("phases[{number}]{field}");
        let mut fields = vec![
            (name("[items][0][price]"), self.price()),
            (name("[items][0][quantity]"), self.pick(&["1", "3"]).into()),
            (name("[duration][interval]"), self.pick(&["week", "month"]).into()),
            (name("[duration][interval_count]"), self.pick(&["1", "2"]).into()),
            (
                name("[proration_behavior]"),
                self.pick(&["none", "create_prorations", "always_invoice"]).into(),
            ),
        ];
        match self.dice.random_range(0..6) {
            0 => fields.push((name("[trial]"), "true".into())),
            1 => fields.push((name("[billing_cycle_anchor]"), "phase_start".into())),
            _ => {}
        }
        fields
    }

    /// A schedule that makes its subscription itself, now or in some days.
    pub async fn schedule_ahead(&mut self) {
        let start = self.world.now().await + self.dice.random_range(1..20) * DAY;
        let start = if self.dice.random_bool(0.5) { "now".to_owned() } else { start.to_string() };
        let mut fields: Fields = vec![
            ("customer".into(), self.customer.clone()),
            ("start_date".into(), start),
            ("end_behavior".into(), self.pick(&["release", "cancel"]).into()),
        ];
        for number in 0..self.dice.random_range(1..3) {
            let more = self.phase(number);
            fields.extend(more);
        }
        self.try_post("/v1/subscription_schedules", &borrowed(&fields)).await;
    }
}
