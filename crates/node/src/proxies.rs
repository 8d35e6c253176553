//! The steps on a HAProxy instance, and its files.

use std::io;

use cordee_domain::fault::Fault;
use cordee_domain::haproxy::runtime;
use cordee_domain::ids::PoolId;
use cordee_domain::step::ProxyStep;

use crate::machine::Machine;
use crate::paths::Home;
use crate::trouble::fault;
use crate::{by_hand, files, haproxy};

/// The files of a HAProxy instance as they are on disk.
#[derive(Debug)]
pub struct OnDisk {
    /// Its configuration; `None` if there is no such file.
    pub file: io::Result<Option<String>>,
    /// The map of the session mode, which only `web` has.
    pub map: io::Result<Option<String>>,
}

/// Reads the files of a HAProxy instance.
pub fn on_disk(home: &Home, id: PoolId) -> OnDisk {
    let map = if id == PoolId::Web { files::text(&home.session_map()) } else { Ok(None) };
    OnDisk { file: files::text(&home.proxy_config(id)), map }
}

/// Runs work that waits for the disk, which may take seconds, on a thread of its own. A panic is passed on to the
/// caller.
async fn off_thread(work: impl FnOnce() -> Result<(), Fault> + Send + 'static) -> Result<(), Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cordée is shutting down.
            Err(_) => Err(Fault::Overtaken),
        },
    }
}

/// Carries out a step on a HAProxy instance. If a file that was changed by hand is replaced, `kept` is called with
/// the path of the kept file.
pub async fn carry_out(
    machine: &Machine,
    step: &ProxyStep,
    kept: impl FnOnce(&str) + Send + 'static,
) -> Result<(), Fault> {
    let home = &machine.home;
    let commands = match step {
        ProxyStep::WriteConfig { proxy, text, check } => {
            let path = home.proxy_config(*proxy);
            if *check {
                haproxy::check(*proxy, &text.0, machine.users.haproxy).await?;
            }
            let (home, user, proxy, text) = (home.clone(), machine.users.haproxy, *proxy, text.0.clone());
            return off_thread(move || {
                if let Some(file) = by_hand::keep(&home, proxy)? {
                    kept(&file);
                }
                files::replace(&path, &text, 0o600, user).map_err(|e| fault(&e))
            })
            .await;
        }
        ProxyStep::WriteSession { mode } => {
            let (path, text, user) = (home.session_map(), mode.map(), machine.users.haproxy);
            return off_thread(move || files::replace(&path, text, 0o600, user).map_err(|e| fault(&e))).await;
        }
        ProxyStep::SetSession { mode } => (&PoolId::Web, runtime::set_session(&home.session_map(), *mode)),
        ProxyStep::Reload { proxy, shape } => {
            return haproxy::reload(home, *proxy, shape).await;
        }
        ProxyStep::AddServer { proxy, name, id, to, out } => {
            (proxy, runtime::add(*proxy, name, *id, *to, *out))
        }
        ProxyStep::SetAddress { proxy, name, to } => (proxy, runtime::set_address(*proxy, name, *to)),
        ProxyStep::SetState { proxy, name, state, writer } => {
            (proxy, runtime::set_state(*proxy, name, *state, *writer))
        }
        ProxyStep::SetWeight { proxy, name, weight } => (proxy, runtime::set_weight(*proxy, name, *weight)),
        ProxyStep::SetMost { proxy, name, most } => (proxy, runtime::set_most(*proxy, name, *most)),
        ProxyStep::OpenFrontend { proxy, name, most, paused } => {
            (proxy, runtime::open_frontend(name, *most, *paused))
        }
        ProxyStep::LiftLimits { proxy } => (proxy, runtime::lift_limits()),
        ProxyStep::DeleteServer { proxy, name } => (proxy, runtime::delete(*proxy, name)),
    };
    haproxy::run(&home.proxy_socket(*commands.0), &commands.1).await
}
