//! An operator's order of a drill: the target, the fault, and the traffic.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Aim, FaultKind, Selector};
use crate::desired::Desired;
use crate::ids::ServerName;
use crate::problem::Problem;
use crate::text;

/// The amount of traffic and its duration, two minutes at most in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests per second, of all visitors together.
    pub rate: u16,
    /// Visitors, each with a session of its own.
    pub visitors: u16,
    /// Seconds before the fault.
    pub before: u16,
    /// Seconds for which the fault lasts; a kill does not last.
    pub held: u16,
    /// Seconds after the fault.
    pub after: u16,
}

/// A number field of the form.
pub(super) struct Figure {
    field: &'static str,
    pub(super) bounds: RangeInclusive<u16>,
    usual: u16,
}

const RATE: Figure = Figure { field: "rate", bounds: 1..=200, usual: 20 };
const VISITORS: Figure = Figure { field: "visitors", bounds: 1..=50, usual: 10 };
pub(super) const BEFORE: Figure = Figure { field: "before", bounds: 1..=30, usual: 3 };
pub(super) const HELD: Figure = Figure { field: "held", bounds: 1..=30, usual: 5 };
pub(super) const AFTER: Figure = Figure { field: "after", bounds: 1..=60, usual: 10 };

impl Figure {
    /// Parses what was typed; an empty text means the usual number.
    fn read(&self, typed: &str) -> Result<u16, Problem> {
        if typed.trim().is_empty() {
            return Ok(self.usual);
        }
        typed.trim().parse().ok().filter(|n| self.bounds.contains(n)).ok_or_else(|| {
            let (first, last) = (*self.bounds.start(), *self.bounds.end());
            Problem::invalid(self.field, text!("problem-number", first = first, last = last))
        })
    }
}

/// The fields of the form, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RawOrder {
    /// The target.
    pub target: String,
    /// The fault.
    pub how: String,
    /// Requests per second.
    pub rate: String,
    /// Visitors.
    pub visitors: String,
    /// Seconds before the fault.
    pub before: String,
    /// Seconds for which the fault lasts.
    pub held: String,
    /// Seconds after the fault.
    pub after: String,
    /// A page of the site; empty means the demonstration's page.
    pub url: String,
    /// The expected status of the page.
    pub status: String,
    /// The pool's name, typed as a confirmation.
    pub confirm: String,
}

/// An order whose fields are valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The target.
    pub target: Selector,
    /// The fault.
    pub how: FaultKind,
    /// The traffic.
    pub traffic: Traffic,
    /// What the visitors request.
    #[serde(default)]
    pub aim: Aim,
}

impl RawOrder {
    /// Returns the order that the form shows at first.
    pub fn usual() -> Self {
        let figure = |f: &Figure| f.usual.to_string();
        Self {
            rate: figure(&RATE),
            visitors: figure(&VISITORS),
            before: figure(&BEFORE),
            held: figure(&HELD),
            after: figure(&AFTER),
            ..Self::default()
        }
    }

    /// Parses the form when the servers are known: a database's name is no valid target, whatever else was typed.
    pub fn read(&self, desired: &Desired) -> Result<Order, Vec<Problem>> {
        match ServerName::parse(self.target.trim()) {
            Ok(name) if desired.db.server(&name).is_some() && desired.web.server(&name).is_none() => {
                Err(vec![Problem::invalid("target", text!("problem-drill-database", name = name.as_str()))])
            }
            _ => self.parse(),
        }
    }

    /// Parses all fields, and reports all problems at once.
    pub fn parse(&self) -> Result<Order, Vec<Problem>> {
        let mut problems = Vec::new();
        let target = keep(Selector::parse(self.target.trim()), &mut problems);
        let how = keep(FaultKind::parse(self.how.trim()), &mut problems);
        if let (Some(target), Some(how)) = (&target, how) {
            keep(how.fits(target), &mut problems);
        }
        let mut figure = |figure: &Figure, typed: &str| keep(figure.read(typed), &mut problems);
        let traffic = (
            figure(&RATE, &self.rate),
            figure(&VISITORS, &self.visitors),
            figure(&BEFORE, &self.before),
            figure(&HELD, &self.held),
            figure(&AFTER, &self.after),
        );
        let aim = Aim::parse(self.url.trim(), self.status.trim())
            .map_err(|wrong| problems.extend(wrong))
            .unwrap_or_default();
        if let Some(target) = &target
            && self.confirm.trim() != target.pool().as_str()
        {
            let says = text!("problem-drill-confirm", pool = target.pool().as_str());
            problems.push(Problem::invalid("confirm", says));
        }
        match (target, how, traffic) {
            (
                Some(target),
                Some(how),
                (Some(rate), Some(visitors), Some(before), Some(held), Some(after)),
            ) if problems.is_empty() => {
                let traffic = Traffic { rate, visitors, before, held, after };
                Ok(Order { target, how, traffic, aim })
            }
            _ => Err(problems),
        }
    }
}

fn keep<T>(parsed: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|p| problems.push(p)).ok()
}
