//! What can happen next to a user's customers, and the steps of `ensure_customer`.

use super::{
    Answer, Attempt, BindingAction, BindingBroken, BindingState, Customer, MADE, Made, SELLERS, Seller, Slot,
};

impl Slot {
    fn is_running(&self) -> bool {
        !matches!(self.seller, Seller::Nowhere | Seller::Sold { .. } | Seller::Failed)
    }
}

impl BindingState {
    pub(super) fn list_actions(&self, actions: &mut Vec<BindingAction>) {
        if self.budget.sales > 0
            && let Some(seller) = self.slots.iter().position(|it| it.seller == Seller::Nowhere)
        {
            actions.push(BindingAction::Sell { seller });
        }
        for seller in 0..SELLERS {
            let at = self.slots[seller].seller;
            match at {
                Seller::Nowhere | Seller::Sold { .. } | Seller::Failed => continue,
                Seller::Creates { .. } if self.budget.failures > 0 => {
                    actions.push(BindingAction::CreateFails { seller });
                }
                _ => {}
            }
            actions.push(BindingAction::Step { seller, at });
            if self.budget.crashes > 0 {
                actions.push(BindingAction::Crash { seller });
            }
        }
        self.list_stripe(actions);
        if self.replica.is_some() {
            let both = [(true, true), (true, false), (false, true)];
            actions.extend(both.map(|(binding, attempt)| BindingAction::Failover { binding, attempt }));
        } else if self.budget.failovers > 0 {
            actions.push(BindingAction::Lag);
        }
    }

    fn list_stripe(&self, actions: &mut Vec<BindingAction>) {
        for (customer, it) in (0..).zip(&self.customers) {
            let Some(it) = it else { continue };
            if it.is_found == it.deleted {
                actions.push(BindingAction::Index { customer });
            }
            if !it.deleted && self.budget.deletions > 0 {
                actions.push(BindingAction::Delete { customer });
            }
        }
        // Keys are kept for a day. The search lags by a minute, nobody waits longer for Stripe than
        // `Settings::patience`, and a replica that lags for a day is none.
        let known = self.customers.iter().flatten().all(|it| it.is_found != it.deleted);
        let nobody = self.replica.is_none() && !self.slots.iter().any(Slot::is_running);
        if self.budget.days > 0 && known && nobody && self.answers.iter().flatten().any(Option::is_some) {
            actions.push(BindingAction::Day);
        }
    }

    /// False where it can't be.
    pub(super) fn apply(&mut self, broken: BindingBroken, action: BindingAction) -> bool {
        match action {
            BindingAction::Sell { seller } => {
                self.budget.sales -= 1;
                self.slots[seller].seller = Seller::Looks;
            }
            BindingAction::Step { seller, .. } => {
                self.disturb(Some(seller));
                return self.step(broken, seller);
            }
            BindingAction::CreateFails { seller } => return self.create_fails(broken, seller),
            BindingAction::Crash { seller } => {
                self.budget.crashes -= 1;
                self.slots[seller] = Slot::default();
            }
            BindingAction::Delete { customer } => {
                self.budget.deletions -= 1;
                self.disturb(None);
                if let Some(it) = &mut self.customers[usize::from(customer)] {
                    it.deleted = true;
                }
            }
            BindingAction::Index { customer } => {
                if let Some(it) = &mut self.customers[usize::from(customer)] {
                    it.is_found = !it.deleted;
                }
            }
            BindingAction::Day => {
                self.budget.days -= 1;
                self.answers = Default::default();
            }
            BindingAction::Lag => {
                self.budget.failovers -= 1;
                self.replica = Some(self.keys);
            }
            BindingAction::Failover { binding, attempt } => self.fail_over(binding, attempt),
        }
        true
    }

    fn disturb(&mut self, by: Option<usize>) {
        for (seller, slot) in self.slots.iter_mut().enumerate() {
            slot.disturbed |= slot.is_running() && Some(seller) != by;
        }
    }

    fn fail_over(&mut self, binding: bool, attempt: bool) {
        let Some(replica) = self.replica.take() else { return };
        self.disturb(None);
        if binding {
            self.keys.bound = replica.bound;
        }
        if attempt {
            self.keys.attempt = replica.attempt;
        }
    }

    fn step(&mut self, broken: BindingBroken, seller: usize) -> bool {
        let next = match self.slots[seller].seller {
            Seller::Nowhere | Seller::Sold { .. } | Seller::Failed => None,
            Seller::Looks => Some(match self.keys.bound {
                Some(bound) => Seller::Retrieves { bound },
                None => Seller::Attempts { deleted: None },
            }),
            Seller::Retrieves { bound } if self.exists(bound) => Some(Seller::Opens { customer: bound }),
            Seller::Retrieves { bound } => Some(Seller::Attempts { deleted: Some(bound) }),
            Seller::Opens { customer } => Some(self.open(seller, customer)),
            _ => self.create_and_bind(broken, seller),
        };
        self.slots[seller].seller = next.unwrap_or_default();
        next.is_some()
    }

    fn open(&mut self, seller: usize, customer: Made) -> Seller {
        if self.exists(customer) {
            return Seller::Sold { customer };
        }
        if std::mem::replace(&mut self.slots[seller].replaced, true) {
            return Seller::Failed;
        }
        Seller::Attempts { deleted: Some(customer) }
    }

    /// `None` where it can't be.
    fn create_and_bind(&mut self, broken: BindingBroken, seller: usize) -> Option<Seller> {
        Some(match self.slots[seller].seller {
            Seller::Searches { deleted, attempt } => match self.search(broken, deleted) {
                Some(customer) => {
                    // A search that still shows who is deleted: he has to try again in a minute.
                    self.slots[seller].disturbed |= !self.exists(customer);
                    Seller::Binds { deleted, customer }
                }
                None => Seller::Creates { deleted, attempt },
            },
            Seller::Creates { deleted, attempt } => match self.create(broken, attempt)? {
                Answer::Made(customer) => Seller::Binds { deleted, customer },
                Answer::Failed => Seller::Raises { attempt },
            },
            Seller::Raises { attempt } => {
                self.swap_attempt(attempt, Attempt { number: attempt.number + 1, ..attempt });
                self.slots[seller].disturbed = true;
                Seller::Failed
            }
            Seller::Binds { deleted, customer } => {
                let bound = self.bind(broken, deleted, customer);
                bound.map_or(Seller::Failed, |customer| Seller::Opens { customer })
            }
            other => return self.running_attempt(broken, other),
        })
    }

    fn running_attempt(&mut self, broken: BindingBroken, seller: Seller) -> Option<Seller> {
        match seller {
            Seller::Attempts { deleted } => {
                let running = self.attempt(deleted);
                let fits = running.replaces == deleted;
                Some(if fits { searches(deleted, running) } else { Seller::Swaps { deleted, running } })
            }
            Seller::Swaps { deleted, running } => {
                self.swap_attempt(running, Attempt { number: 1, replaces: deleted });
                Some(Seller::AttemptsAgain { deleted })
            }
            Seller::AttemptsAgain { deleted } => {
                let attempt = self.attempt(deleted);
                let fits = attempt.replaces == deleted || broken == BindingBroken::AnyAttempt;
                Some(if fits { searches(deleted, attempt) } else { Seller::Failed })
            }
            _ => None,
        }
    }

    /// SET NX; what is there.
    fn attempt(&mut self, deleted: Option<Made>) -> Attempt {
        *self.keys.attempt.get_or_insert(Attempt { number: 1, replaces: deleted })
    }

    fn swap_attempt(&mut self, current: Attempt, next: Attempt) {
        if self.keys.attempt == Some(current) {
            self.keys.attempt = Some(next);
        }
    }

    /// The oldest. Which of them is live makes no difference here, as there is to be one.
    fn search(&self, broken: BindingBroken, deleted: Option<Made>) -> Option<Made> {
        let found = |it: &Option<Customer>| it.is_some_and(|it| it.is_found);
        let mut all = (0..).zip(&self.customers).filter(|(_, it)| found(it)).map(|(made, _)| made);
        all.find(|it| Some(*it) != deleted).filter(|_| broken != BindingBroken::NoSearch)
    }

    fn answer(&mut self, attempt: Attempt) -> Option<&mut Option<Answer>> {
        let place = attempt.replaces.map_or(0, |it| usize::from(it) + 1);
        self.answers[place].get_mut(usize::from(attempt.number) - 1)
    }

    fn make(&mut self) -> Option<Made> {
        let made = self.customers.iter().position(Option::is_none)?;
        self.customers[made] = Some(Customer::default());
        u8::try_from(made).ok()
    }

    fn create(&mut self, broken: BindingBroken, attempt: Attempt) -> Option<Answer> {
        if broken == BindingBroken::RandomKeys {
            return self.make().map(Answer::Made);
        }
        if let Some(answer) = *self.answer(attempt)? {
            return Some(answer);
        }
        let made = Answer::Made(self.make()?);
        *self.answer(attempt)? = Some(made);
        Some(made)
    }

    fn create_fails(&mut self, broken: BindingBroken, seller: usize) -> bool {
        let Seller::Creates { attempt, .. } = self.slots[seller].seller else { return false };
        match self.answer(attempt) {
            Some(answer @ None) => *answer = Some(Answer::Failed),
            _ => return false,
        }
        self.budget.failures -= 1;
        if broken == BindingBroken::FailureWithEffect && self.make().is_none() {
            return false;
        }
        self.slots[seller].seller = Seller::Raises { attempt };
        true
    }

    /// Compare-and-set; what is bound after it.
    fn bind(&mut self, broken: BindingBroken, deleted: Option<Made>, customer: Made) -> Option<Made> {
        let expected = if broken == BindingBroken::SetNx { None } else { deleted };
        if self.keys.bound == expected {
            self.keys.bound = Some(customer);
        }
        self.keys.bound
    }
}

fn searches(deleted: Option<Made>, attempt: Attempt) -> Seller {
    Seller::Searches { deleted, attempt }
}

const _: () = assert!(MADE >= SELLERS);
