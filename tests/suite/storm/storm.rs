//! One storm: the processes, the courier, and everything that the schedule lets happen at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use unsplit_billing::id::{CustomerId, UserId};
use unsplit_billing::plan::Interval;
use unsplit_billing::service::{Buyer, Checkout, CheckoutChoice};

use super::courier::Courier;
use super::dashboard;
use super::process::{Alive, Process, cut_after};
use super::schedule::{Schedule, Start, Step, Trouble, TroubleKind};
use super::world::World;

pub struct Storm {
    pub world: Arc<World>,
    pub schedule: Arc<Schedule>,
    pub processes: Arc<[Process; 2]>,
    pub courier: Courier,
    /// The customers that each user had, in the order in which they were bound.
    pub bound: tokio::sync::Mutex<Vec<Vec<String>>>,
    /// The customers that were there before the storm.
    customers: Vec<Option<String>>,
    log: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
    pub kills: AtomicU32,
    /// Those of them that left a customer in flight, as far as one can tell.
    pub caught: AtomicU32,
    began: Instant,
}

pub fn user(number: usize) -> String {
    format!("user-{number}")
}

impl Storm {
    pub async fn prepare(world: Arc<World>, schedule: Schedule) -> Arc<Self> {
        world.clear().await;
        let mut customers = Vec::new();
        for (number, start) in schedule.users.iter().enumerate() {
            customers.push(match start {
                Start::Nothing => None,
                Start::Customer => Some(dashboard::create(&world, number).await),
                Start::Subscription => {
                    let customer = dashboard::create(&world, number).await;
                    dashboard::subscribe(&world, &customer, "pro").await.unwrap();
                    Some(customer)
                }
            });
        }
        let (first, second) = tokio::join!(
            Process::start(world.config(), 0, schedule.reconcilers[0]),
            Process::start(world.config(), schedule.skew, schedule.reconcilers[1])
        );
        let processes = Arc::new([first, second]);
        let courier = Courier::new(world.clone(), processes.clone(), &schedule);
        Arc::new(Self {
            world,
            processes,
            courier,
            bound: vec![Vec::new(); customers.len()].into(),
            customers,
            log: Mutex::default(),
            wrong: Mutex::default(),
            kills: AtomicU32::default(),
            caught: AtomicU32::default(),
            schedule: Arc::new(schedule),
            began: Instant::now(),
        })
    }

    /// Lets everything happen; afterwards nothing fails any more, and nobody does anything.
    pub async fn rage(self: &Arc<Self>) {
        let mut steps = JoinSet::new();
        if self.schedule.settled {
            self.settle().await;
        }
        self.courier.collect(200).await;
        for (pause, step) in &self.schedule.steps {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            let (storm, step) = (self.clone(), step.clone());
            steps.spawn(async move {
                let begun = storm.began.elapsed().as_millis();
                let result = storm.perform(&step).await;
                let ended = storm.began.elapsed().as_millis();
                storm.log.lock().unwrap().push(format!("{begun:>5}..{ended:<5} {step:?}: {result}"));
                storm.watch().await;
                if matches!(step, Step::Dashboard { .. } | Step::Buy { .. }) {
                    storm.courier.collect(25).await;
                }
            });
        }
        while let Some(done) = steps.join_next().await {
            done.unwrap();
        }
        self.world.heal().await;
        self.courier.finish().await;
    }

    /// What was before the storm is known, and its events are not brought any more.
    async fn settle(&self) {
        self.courier.skip().await;
        let alive = self.processes[0].alive().unwrap();
        for customer in self.customers.iter().flatten() {
            let customer = CustomerId::parse(customer.as_str()).unwrap();
            // The calls of a storm have so little time that a busy machine alone lets some of them fail.
            while alive.billing.sync_now(&customer).await.is_err() {}
        }
    }

    pub async fn end(&self) {
        tokio::join!(self.processes[0].stop(), self.processes[1].stop());
    }

    /// What happened, and what was wrong at once.
    pub fn story(&self) -> (Vec<String>, Vec<String>) {
        let mut story = self.log.lock().unwrap().clone();
        story.extend(self.courier.log.lock().unwrap().lines.iter().cloned());
        (story, self.wrong.lock().unwrap().clone())
    }

    /// Remembers who is bound to whom.
    pub async fn watch(&self) {
        // Held while Redis is asked: who looked first must also write first.
        let mut bound = self.bound.lock().await;
        for number in 0..self.customers.len() {
            let Some(now) = self.world.stored(&format!("stripe:user:{}", user(number))).await else {
                continue;
            };
            let bound = &mut bound[number];
            if bound.last() != Some(&now) {
                bound.push(now);
            }
        }
    }

    async fn customer(&self, number: usize) -> Option<String> {
        let bound = self.world.stored(&format!("stripe:user:{}", user(number))).await;
        bound.or_else(|| self.customers[number].clone())
    }

    async fn perform(&self, step: &Step) -> String {
        match *step {
            Step::Dashboard { user, change } => match self.customer(user).await {
                Some(customer) => dashboard::change(&self.world, &customer, change).await,
                None => "no customer".to_owned(),
            },
            Step::Buy { user, process, plan, cut, pays } => {
                let work = async |alive: &Alive| self.buy(alive, user, plan, pays).await;
                self.visit(process, cut, work).await
            }
            Step::Sync { user, process, cut } => {
                let work = async |alive: &Alive, customer: &CustomerId| {
                    brief(alive.billing.sync_now(customer).await.map(|synced| synced.written))
                };
                self.visit_about(user, process, cut, work).await
            }
            Step::Outcome { user, process, cut } => {
                let work = async |alive: &Alive, customer: &CustomerId| {
                    short(&format!("{:?}", alive.billing.purchase_outcome(customer).await))
                };
                self.visit_about(user, process, cut, work).await
            }
            Step::Read { user: number, process } => {
                let id = UserId::parse(user(number)).unwrap();
                let work = async |alive: &Alive| brief(alive.billing.subscription_of(&id).await);
                self.visit(process, None, work).await
            }
            Step::Stripe(trouble) => self.trouble(trouble).await,
            Step::CutRedis => {
                self.world.cut_redis().await;
                "cut".to_owned()
            }
            Step::Kill { process, polls, down } => self.kill(process, polls, down).await,
            Step::Restart { process, down } => {
                let ended = self.processes[process].restart(Duration::from_millis(down)).await;
                if ended { "ended and started".to_owned() } else { "is down".to_owned() }
            }
            Step::Reconcile { process, cut } => {
                let work = async |alive: &Alive| brief(alive.billing.reconcile().await);
                self.visit(process, cut, work).await
            }
            Step::Rebuild { process, flushed, cut } => {
                if flushed {
                    self.world.flush_stripe().await;
                }
                let rebuilt = async |alive: &Alive| brief(alive.billing.rebuild(&|_| {}).await);
                self.visit(process, cut, rebuilt).await
            }
        }
    }

    async fn kill(&self, number: usize, polls: u32, down: u64) -> String {
        let process = &self.processes[number];
        if !process.kill(polls).await {
            return "is down".to_owned();
        }
        let in_flight = self.world.in_flight().await;
        self.kills.fetch_add(1, Ordering::Relaxed);
        self.caught.fetch_add(u32::from(in_flight > 0), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(down)).await;
        process.open().await;
        format!("killed with {in_flight} in flight, and started")
    }

    /// Does something in a process that may die, for somebody who may go away.
    async fn visit(
        &self,
        process: usize,
        cut: Option<u32>,
        work: impl AsyncFnOnce(&Alive) -> String,
    ) -> String {
        let Some(alive) = self.processes[process].alive() else { return "is down".to_owned() };
        match alive.run(cut_after(cut, work(&alive))).await {
            None => "killed".to_owned(),
            Some(None) => "cut off".to_owned(),
            Some(Some(result)) => result,
        }
    }

    async fn visit_about(
        &self,
        user: usize,
        process: usize,
        cut: Option<u32>,
        work: impl AsyncFnOnce(&Alive, &CustomerId) -> String,
    ) -> String {
        let Some(customer) = self.customer(user).await else { return "no customer".to_owned() };
        let customer = CustomerId::parse(customer).unwrap();
        self.visit(process, cut, async |alive: &Alive| work(alive, &customer).await).await
    }

    /// Clicks, pays, and comes back, as a buyer does.
    async fn buy(&self, alive: &Alive, number: usize, plan: &str, pays: bool) -> String {
        let buyer = Buyer { user: UserId::parse(user(number)).unwrap(), email: email(number) };
        let choice = CheckoutChoice { plan: plan.to_owned(), interval: Interval::Month };
        let url = match alive.billing.start_checkout(&buyer, &choice).await {
            Ok(Checkout::Open { url }) => url,
            answer => return brief(answer),
        };
        if !pays {
            return "opened".to_owned();
        }
        if !self.world.pay(&url).await {
            return "opened, and could not be paid".to_owned();
        }
        let live = dashboard::bought(&self.world, number).await;
        if live.len() > 1 {
            self.wrong
                .lock()
                .unwrap()
                .push(format!("user {number} was sold {} subscriptions: {live:?}", live.len()));
        }
        let Some(customer) = self.customer(number).await else { return "paid; no customer".to_owned() };
        let outcome = alive.billing.purchase_outcome(&CustomerId::parse(customer).unwrap()).await;
        short(&format!("paid; {outcome:?}"))
    }

    async fn trouble(&self, trouble: Trouble) -> String {
        let mut fault = match trouble.kind {
            TroubleKind::Busy(retry_after) => {
                serde_json::json!({ "status": 429, "retry_after": retry_after })
            }
            TroubleKind::Broken => serde_json::json!({ "status": 500 }),
            TroubleKind::Slow(millis) => serde_json::json!({ "latency_ms": millis }),
            TroubleKind::Late(millis) => serde_json::json!({ "late_ms": millis }),
            TroubleKind::CutBefore => serde_json::json!({ "cut": "before" }),
            TroubleKind::CutAfter => serde_json::json!({ "cut": "after" }),
        };
        fault["path"] = trouble.path.into();
        fault["times"] = trouble.times.into();
        self.world.control("faults", &fault).await;
        "ordered".to_owned()
    }
}

pub fn email(number: usize) -> String {
    format!("{}@example.com", user(number))
}

fn brief<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    short(&result.map_or_else(|error| error.to_string(), |done| format!("{done:?}")))
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
