//! The steps: what each `Action` does. A step is atomic where the system's is: one script of
//! Redis, one read or change at Stripe.

use crate::action::Action;
use crate::config::{Broken, Config, Kind};
use crate::redis::{Done, Value};
use crate::state::{Process, Rebuild, Replica, Shard, Stage, State};

impl State {
    pub(crate) fn apply(&mut self, config: &Config, action: Action) {
        match action {
            Action::Change { customer } => {
                self.budget.changes -= 1;
                self.truths[customer].webhooks += 1;
                self.change(config, customer);
            }
            Action::Webhook { customer } => {
                self.truths[customer].webhooks -= 1;
                self.mark(config, customer, false);
            }
            Action::WebhookTwice { customer } => {
                self.budget.duplicates -= 1;
                self.mark(config, customer, false);
            }
            Action::WebhookLost { customer } => {
                self.budget.drops -= 1;
                self.truths[customer].webhooks -= 1;
                self.truths[customer].dropped += u8::from(config.broken == Broken::ReconcileUnheard);
            }
            Action::Reconcile { customer } => {
                self.truths[customer].dropped = 0;
                self.mark(config, customer, false);
            }
            Action::Lag { shard } => self.lag(shard),
            Action::Failover => self.fail_over(config),
            Action::Notice => self.notice(config),
            Action::Tick => {
                self.budget.ticks -= 1;
                self.now += 1;
            }
            work => self.work(config, work),
        }
    }

    /// What our processes do.
    fn work(&mut self, config: &Config, action: Action) {
        match action {
            Action::Claim { slot, customer, reached } => self.claim(config, slot, customer, reached),
            Action::Start { slot, customer } => self.start(config, slot, customer),
            Action::Call { slot } => {
                self.change(config, self.processes[slot].customer());
                self.processes[slot].stage = Stage::Ready;
            }
            Action::Begin { slot } => self.begin(config, slot),
            Action::Fetch { slot } => self.fetch(slot),
            Action::TicketLate { slot } => {
                self.processes[slot].number = 1;
                self.take_ticket(slot);
            }
            Action::Write { slot } => self.write(config, slot),
            Action::Mark { slot } => self.mark_refused(config, slot),
            Action::Done { slot } => self.done(config, slot),
            Action::Fail { slot } => self.fail(config, slot),
            Action::Crash { slot } => self.crash(config, slot),
            Action::Rebuild => self.start_rebuild(config),
            Action::TicketAgain { slot } => self.take_ticket(slot),
            _ => {}
        }
    }

    fn notice(&mut self, config: &Config) {
        self.unnoticed = false;
        for customer in 0..config.customers() {
            self.mark(config, customer, false);
        }
    }

    /// Something changes at Stripe.
    fn change(&mut self, config: &Config, customer: usize) {
        let truth = &mut self.truths[customer];
        truth.version += 1;
        truth.event_at = Some(self.now);
        self.now += u8::from(!config.coarse_time);
    }

    fn mark(&mut self, config: &Config, customer: usize, from: bool) -> u8 {
        let generation = self.redis.queue.mark(config.broken, customer, from);
        self.keep_up(config);
        generation
    }

    /// A replica that lacks too much can't be promoted: it is as if it had kept up.
    fn keep_up(&mut self, config: &Config) {
        let Some(Replica { shard: Shard::All | Shard::Queue, redis }) = &self.replica else { return };
        if self.redis.queue.counter - redis.queue.counter > config.marks_lost {
            self.replica = None;
            self.budget.failovers += 1;
        }
    }

    fn claim(&mut self, config: &Config, slot: usize, customer: usize, reached: bool) {
        let Some(generation) = self.redis.queue.claim(config.broken, customer, slot, reached) else { return };
        let customer = crate::redis::narrow(customer);
        self.processes[slot] =
            Process { stage: Stage::Ready, customer, generation, claimed: true, ..Process::default() };
    }

    fn start(&mut self, config: &Config, slot: usize, customer: usize) {
        let verb = config.kind(slot) == Kind::Verb;
        let left = if verb { &mut self.budget.verbs } else { &mut self.budget.visits };
        *left -= 1;
        let generation = self.mark(config, customer, verb);
        let stage = if verb { Stage::Calling } else { Stage::Ready };
        let customer = crate::redis::narrow(customer);
        self.processes[slot] = Process { stage, customer, generation, ..Process::default() };
    }

    fn begin(&mut self, config: &Config, slot: usize) {
        let ahead = if config.kind(slot) == Kind::Visit { config.skew } else { 0 };
        let process = &mut self.processes[slot];
        let keys = &mut self.redis.keys[usize::from(process.customer)];
        process.stage = Stage::Begun;
        process.began = self.moment;
        process.stamp = self.now + ahead;
        process.number = match config.broken {
            Broken::BareCounter => keys.seq + 1,
            Broken::Clock => self.moment + ahead,
            _ => 0,
        };
        keys.seq += u8::from(config.broken == Broken::BareCounter);
        self.moment += 1;
        let late = config.broken == Broken::RebuildTicketsLate && config.kind(slot) == Kind::Rebuild;
        if !late && config.broken != Broken::TicketAfterFetch {
            keys.tickets.take(slot);
        }
    }

    fn take_ticket(&mut self, slot: usize) {
        self.redis.keys[self.processes[slot].customer()].tickets.take(slot);
    }

    fn fetch(&mut self, slot: usize) {
        let process = &mut self.processes[slot];
        let customer = process.customer();
        process.version = self.truths[customer].version;
        process.stage = Stage::Fetched;
    }

    fn write(&mut self, config: &Config, slot: usize) {
        let process = self.processes[slot];
        let keys = &mut self.redis.keys[process.customer()];
        if config.broken == Broken::RebuildTicketsLate && config.kind(slot) == Kind::Rebuild {
            keys.tickets.take(slot);
        }
        let Process { version, began, stamp, number, .. } = process;
        let before = keys.value;
        let accepted = keys.write(config.broken, slot, Value { version, began, stamp, number });
        let older = before.is_some_and(|it| it.began > began && it.version > version);
        self.went_back |= accepted && older;
        self.redis.forget_ticket(slot);
        if let Some(replica) = &mut self.replica {
            replica.redis.forget_ticket(slot);
        }
        let gave_up = config.kind(slot) == Kind::Worker && !process.claimed;
        let waits = matches!(config.kind(slot), Kind::Visit | Kind::Verb);
        match (accepted, gave_up || waits) {
            (false, true) => self.end(slot),
            (true, true) if gave_up => self.end(slot),
            (true, _) => self.wrote(slot, Stage::Written),
            (false, false) => self.wrote(slot, Stage::Refused),
        }
    }

    /// What was fetched counts no more.
    fn wrote(&mut self, slot: usize, stage: Stage) {
        let process = &mut self.processes[slot];
        let Process { customer, generation, claimed, .. } = *process;
        *process = Process { stage, customer, generation, claimed, ..Process::default() };
    }

    fn mark_refused(&mut self, config: &Config, slot: usize) {
        self.mark(config, self.processes[slot].customer(), false);
        self.wrote(slot, Stage::Written);
    }

    fn done(&mut self, config: &Config, slot: usize) {
        let process = self.processes[slot];
        if config.kind(slot) == Kind::Rebuild {
            self.rebuild = Rebuild::NotNeeded;
            config.slots(Kind::Rebuild).for_each(|it| self.end(it));
            return;
        }
        let (customer, generation) = (process.customer(), process.generation);
        let lease = process.claimed.then_some(slot);
        self.redis.queue.done(config.broken, config.schedules, Done { customer, generation, lease });
        self.end(slot);
    }

    /// An error. A write that is on its way to Redis may arrive all the same, so a worker that has
    /// reported a failure after its fetch goes on as one without a claim.
    fn fail(&mut self, config: &Config, slot: usize) {
        let process = self.processes[slot];
        if !process.claimed {
            self.mark(config, process.customer(), false);
            self.end(slot);
            return;
        }
        self.redis.queue.failed(process.customer(), slot);
        if process.stage == Stage::Fetched {
            self.forget_lease(slot);
            self.processes[slot].claimed = false;
            self.processes[slot].generation = 0;
        } else {
            self.end(slot);
        }
    }

    fn crash(&mut self, config: &Config, slot: usize) {
        if config.kind(slot) == Kind::Rebuild {
            self.rebuild = Rebuild::IsDue;
            config.slots(Kind::Rebuild).for_each(|it| self.end(it));
        } else {
            self.end(slot);
        }
    }

    fn start_rebuild(&mut self, config: &Config) {
        self.rebuild = Rebuild::Runs;
        for (customer, slot) in (0..).zip(config.slots(Kind::Rebuild)) {
            self.processes[slot] = Process { stage: Stage::Ready, customer, ..Process::default() };
        }
    }

    /// The process is gone, or free for something else.
    fn end(&mut self, slot: usize) {
        self.processes[slot] = Process::default();
        self.redis.forget_ticket(slot);
        if let Some(replica) = &mut self.replica {
            replica.redis.forget_ticket(slot);
        }
        self.forget_lease(slot);
    }

    fn forget_lease(&mut self, slot: usize) {
        self.redis.forget_lease(slot);
        if let Some(replica) = &mut self.replica {
            replica.redis.forget_lease(slot);
        }
    }

    fn lag(&mut self, shard: Shard) {
        self.budget.failovers -= 1;
        let mut replica = Replica { shard, redis: Default::default() };
        copy(shard, &self.redis, &mut replica.redis);
        self.replica = Some(replica);
    }

    fn fail_over(&mut self, config: &Config) {
        let Some(replica) = self.replica.take() else { return };
        let given_out = self.redis.queue.counter;
        copy(replica.shard, &replica.redis, &mut self.redis);
        if config.broken != Broken::GenerationsCounted {
            self.redis.queue.counter = given_out;
        }
        self.unnoticed = config.notices_failovers;
    }
}

fn copy(shard: Shard, from: &crate::redis::Redis, to: &mut crate::redis::Redis) {
    match shard {
        Shard::All => *to = *from,
        Shard::Queue => to.queue = from.queue,
        Shard::Customer(customer) => to.keys[usize::from(customer)] = from.keys[usize::from(customer)],
    }
}
