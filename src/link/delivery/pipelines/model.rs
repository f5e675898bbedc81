//! One model for the pipelines of every CI system.

use crate::facts::{Confidence, Related};
use crate::parse::document::Node;
use crate::scan::source::{SourceFile, Span};

/// A pipeline: a workflow file, or a composite action.
pub struct Pipeline<'a> {
    /// Its file.
    pub file: &'a SourceFile,
    /// github-actions, gitlab, ...
    pub system: &'static str,
    /// Names of the events that start it, where the system has such.
    pub triggers: Vec<String>,
    /// Where a person who starts it by hand names the version to deploy.
    pub version_input: Option<Span>,
    /// Its jobs in order.
    pub jobs: Vec<Job<'a>>,
}

impl Pipeline<'_> {
    /// Only pull requests start it: what it deploys is a preview at most. A merge queue deploys what it merges.
    pub fn only_for_pull_requests(&self) -> bool {
        !self.triggers.is_empty() && self.triggers.iter().all(|event| event.starts_with("pull_request"))
    }

    /// It starts when another workflow has ended.
    pub fn starts_after_another(&self) -> bool {
        self.triggers.iter().any(|event| event == "workflow_run")
    }

    /// It deploys to a rig for tests: its file says so.
    pub fn of_tests(&self) -> bool {
        let name = self.file.name().to_ascii_lowercase();
        ["e2e", "test", "integration"].iter().any(|word| name.contains(word)) && !name.contains("deploy")
    }
}

/// A job.
#[derive(Default)]
pub struct Job<'a> {
    /// Its key.
    pub name: String,
    /// Jobs it waits for.
    pub needs: Vec<String>,
    /// Its stage, where stages run one after the other.
    pub stage: Option<usize>,
    /// The workflow of this tree that it runs, by path.
    pub calls: Option<String>,
    /// Values that its steps are repeated for.
    pub matrix: Option<&'a Node>,
    /// Values of `inputs.NAME` in its steps.
    pub inputs: Vec<(String, String)>,
    /// Variables of its steps.
    pub environment: Option<&'a Node>,
    /// What it hands to jobs that wait for it.
    pub outputs: Option<&'a Node>,
    /// Names by which steps are spoken of, with their numbers.
    pub ids: Vec<(String, usize)>,
    /// Its steps in order.
    pub steps: Vec<Step<'a>>,
}

/// A step.
pub struct Step<'a> {
    /// Its name; empty where it has none.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Folder it runs in, relative to the root.
    pub folder: String,
    /// What it does.
    pub action: Action<'a>,
}

/// What a step does.
pub enum Action<'a> {
    /// Runs commands of a shell.
    Script(String),
    /// Uses a shared action, orb, task or reusable workflow.
    Use {
        /// `owner/name/path`.
        name: String,
        /// What stands behind the `@`.
        reference: String,
        /// Its inputs.
        inputs: Option<&'a Node>,
        /// Where the name stands.
        span: Span,
    },
    /// Runs a pipeline that is not in the tree: its name.
    Elsewhere(String),
    /// Runs a plugin image with settings.
    Plugin {
        /// The image.
        image: String,
        /// Its settings.
        settings: Option<&'a Node>,
    },
}

/// What a step is found to do.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Kind.
    pub kind: Kind,
    /// The command or action.
    pub command: String,
    /// Where in the pipeline's file.
    pub span: Span,
    /// How sure.
    pub confidence: Confidence,
    /// It works on the service's own code; `None` where what it runs cannot be seen.
    pub of_service: Option<bool>,
    /// It publishes an image under a name that tells its version; `None` where what it runs cannot be seen.
    pub versioned_image: Option<bool>,
    /// The line of the script that it goes through.
    pub related: Vec<Related>,
}

/// Kinds of deeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Runs tests.
    Test,
    /// Builds.
    Build,
    /// Checks style.
    Lint,
    /// Audits dependencies.
    Audit,
    /// Publishes an artifact.
    Publish,
    /// Deploys.
    Deploy,
    /// Runs migrations.
    Migrate,
    /// Goes back to an earlier version.
    Rollback,
    /// Makes a backup.
    Backup,
    /// Restores a backup.
    Restore,
    /// Starts a cluster for tests: what is deployed there is no deployment.
    TestCluster,
}

impl Kind {
    /// The word for it in facts.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Test => "test",
            Kind::Build => "build",
            Kind::Lint => "lint",
            Kind::Audit => "audit",
            Kind::Publish => "publish",
            Kind::Deploy => "deploy",
            Kind::Migrate => "migrate",
            Kind::Rollback => "rollback",
            Kind::Backup => "backup",
            Kind::Restore => "restore",
            Kind::TestCluster => "test-cluster",
        }
    }
}
