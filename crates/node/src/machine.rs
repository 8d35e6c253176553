//! What is known of this machine: everything that a driver needs besides its orders.

use crate::paths::Home;
use crate::secrets::Secrets;
use crate::users::Users;
use cordee_domain::haproxy::setting::Setting;

/// A machine on which a cluster runs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The cluster's folders.
    pub home: Home,
    /// The users that run the programs.
    pub users: Users,
    /// Passwords and keys.
    pub secrets: Secrets,
    /// What the configuration files of HAProxy need besides the wish.
    pub setting: Setting,
    /// Whether this is a cluster on which sessions are compared: its web servers get the probe page.
    pub trial: bool,
}
