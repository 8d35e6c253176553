//! What is known of this machine: all that a driver needs besides what it is told to do.

use crate::paths::Home;
use crate::secrets::Secrets;
use crate::users::Users;
use cordee_domain::haproxy::setting::Setting;

/// One machine that a cluster runs on.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Folders.
    pub home: Home,
    /// Users of the programs.
    pub users: Users,
    /// Passwords and keys.
    pub secrets: Secrets,
    /// What the proxies' files need besides the wish.
    pub setting: Setting,
    /// The cluster is one that sessions are compared on: its web servers get the probe page.
    pub trial: bool,
}
