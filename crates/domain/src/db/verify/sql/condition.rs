//! Conditions on the columns of a key.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::db::verify) enum Operator {
    Above,
    AtLeast,
    Equal,
    Below,
    AtMost,
}

impl Operator {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }
}

/// A condition on the columns of a key, by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::db::verify) enum Condition {
    Is(Operator, usize),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
}

/// Returns the condition that a key of `width` columns is above the bound. MariaDB uses no index for
/// `(a,b) > (1,2)`, but does for the equivalent ANDs and ORs. The first column's bound is repeated: it always serves
/// as a range.
pub(in crate::db::verify) fn above(width: usize) -> Condition {
    bounded(width, Operator::Above, Operator::Above, Operator::AtLeast)
}

/// Returns the condition that a key of `width` columns is at most the bound.
pub(in crate::db::verify) fn up_to(width: usize) -> Condition {
    bounded(width, Operator::Below, Operator::AtMost, Operator::AtMost)
}

fn bounded(width: usize, strict: Operator, last: Operator, first: Operator) -> Condition {
    let end = width.saturating_sub(1);
    let mut condition = Condition::Is(last, end);
    for place in (0..end).rev() {
        let tie = Condition::Both(Box::new(Condition::Is(Operator::Equal, place)), Box::new(condition));
        condition = Condition::Either(Box::new(Condition::Is(strict, place)), Box::new(tie));
    }
    if end == 0 {
        return condition;
    }
    Condition::Both(Box::new(Condition::Is(first, 0)), Box::new(condition))
}
