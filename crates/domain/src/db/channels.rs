//! How a channel is set up; the same terms are used to check existing channels.

use crate::desired::Database;
use crate::ids::Host;

use super::Channel;

/// The account with which databases replicate from each other.
pub const ACCOUNT: &str = "cordee_repl";

/// The columns of `SHOW ALL SLAVES STATUS` that tell how a channel was set up.
pub const COLUMNS: [&str; 16] = [
    "Master_Host",
    "Master_Port",
    "Master_User",
    "Using_Gtid",
    "Connect_Retry",
    "Slave_heartbeat_period",
    "SQL_Delay",
    "Replicate_Do_DB",
    "Replicate_Ignore_DB",
    "Replicate_Do_Table",
    "Replicate_Ignore_Table",
    "Replicate_Wild_Do_Table",
    "Replicate_Wild_Ignore_Table",
    "Replicate_Ignore_Server_Ids",
    "Replicate_Do_Domain_Ids",
    "Replicate_Ignore_Domain_Ids",
];

/// Returns what a channel from `peer` should show in a column; `None` for a value that depends on how a name
/// resolves.
fn wished(peer: Database<'_>, column: &str) -> Option<String> {
    Some(match column {
        "Master_Host" => match &peer.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(_) => return None,
        },
        "Master_Port" => peer.port.to_string(),
        "Master_User" => ACCOUNT.to_owned(),
        "Using_Gtid" => "Slave_Pos".to_owned(),
        "Connect_Retry" => "1".to_owned(),
        "Slave_heartbeat_period" => "1.000".to_owned(),
        "SQL_Delay" => "0".to_owned(),
        _ => String::new(),
    })
}

/// Returns in what a channel from `peer` differs from what Cordée sets up: column names with their present values.
/// Empty if no difference is known.
pub fn altered(channel: &Channel, peer: Database<'_>) -> Vec<String> {
    let differs = |column: &&str| {
        let (is, wished) = (channel.terms.get(*column), wished(peer, column));
        is.zip(wished).is_some_and(|(is, wished)| *is != wished)
    };
    let names = COLUMNS.into_iter().filter(differs);
    names.map(|name| format!("{name}={}", channel.terms.get(name).map_or("", String::as_str))).collect()
}
