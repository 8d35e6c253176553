//! What the errors that stop replication mean, and what to do about them.

use crate::text;
use crate::text::Text;

/// Meaning and remedy of an error number; `None` for one that is not known here.
pub fn meaning(code: u32) -> Option<(Text, Text)> {
    Some(match code {
        1032 => (text!("error-1032"), text!("error-1032-do")),
        1045 => (text!("error-1045"), text!("error-1045-do")),
        1062 => (text!("error-1062"), text!("error-1062-do")),
        1236 => (text!("error-1236"), text!("error-1236-do")),
        1593 | 1595 => (text!("error-1593"), text!("error-1593-do")),
        1950 => (text!("error-1950"), text!("error-1950-do")),
        2003 | 2002 | 2013 => (text!("error-2003"), text!("error-2003-do")),
        _ => return None,
    })
}
