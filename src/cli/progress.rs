//! Tells a waiting person what the run is at: on standard error, on a terminal, and only after half a second.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pipeline::Stage;

const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(120);

/// A spinner that may never have to show itself.
pub struct Progress {
    stage: Arc<Mutex<Stage>>,
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to wait.
    pub fn start() -> Progress {
        let stage = Arc::new(Mutex::new(Stage::Reading));
        let shown = std::io::stderr().is_terminal().then(|| {
            let (stop, stopped) = channel::<()>();
            let stage = Arc::clone(&stage);
            let wait = move || stopped.recv_timeout(PATIENCE);
            let thread = std::thread::spawn(move || {
                if wait() == Err(RecvTimeoutError::Timeout) {
                    spin(&stage, wait);
                }
            });
            (stop, thread)
        });
        Progress { stage, shown }
    }

    /// Says what the run is at now.
    pub fn stage(&self, now: Stage) {
        if let Ok(mut stage) = self.stage.lock() {
            *stage = now;
        }
    }

    /// Takes the spinner away.
    pub fn finish(self) {
        if let Some((stop, thread)) = self.shown {
            drop(stop);
            _ = thread.join();
        }
    }
}

fn said(stage: Stage) -> Cow<'static, str> {
    match stage {
        Stage::Reading => "reading files".into(),
        Stage::History(_, 0) => "walking the history".into(),
        Stage::History(done, all) => format!("searching the history: {done} of {all} versions of files").into(),
        Stage::Parsing => "parsing".into(),
        Stage::Linking => "linking".into(),
        Stage::Checking => "checking".into(),
    }
}

fn spin(stage: &Mutex<Stage>, wait: impl Fn() -> Result<(), RecvTimeoutError>) {
    let style = ProgressStyle::default_spinner().tick_chars("|/-\\ ");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    bar.enable_steady_tick(TICK);
    loop {
        if let Ok(stage) = stage.lock() {
            bar.set_message(said(*stage));
        }
        if wait() != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    bar.finish_and_clear();
}
