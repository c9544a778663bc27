//! `stamp --to V --verify`: makes the schema of an earlier version on a throwaway server, and records it where it is that of the
//! database.

use crate::developer::Context;
use crate::prove::scratch::Scratch;
use migrator_engine::facts::{Facts, diff, report};
use migrator_engine::operation::StampOptions;
use migrator_engine::output::result;
use migrator_engine::plan::Target;
use migrator_engine::words::list;
use migrator_engine::{Error, Exit, Session};

/// What is recorded.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(
    after_help = "The schema of that version is made on a throwaway server of the same major release, without the repeatables.\n\n\
                  Example: cargo xtask migrate stamp --to 012 --verify"
)]
pub struct Args {
    /// Record the migrations up to and including this version
    #[arg(long, value_name = "VERSION")]
    pub to: i64,
    /// Refuse a schema that is not that of the version
    #[arg(long)]
    pub verify: bool,
    /// Make that schema on this server instead of starting a throwaway one
    #[arg(long, value_name = "URL")]
    pub scratch_url: Option<String>,
}

/// Compares, then records.
pub async fn run(context: &Context, args: &Args, scratch: &Context) -> Result<Exit, Error> {
    let target = Target::Version(context.migrator.migration(args.to)?.number);
    let session = context.connect().await?;
    let expected = expected(scratch, target, &session)
        .await
        .map_err(|error| error.note("this happened on a scratch database; nothing was recorded"))?;
    compare(context, &session, expected, args.to).await?;
    let stamped = session.stamp(&StampOptions::default().to(args.to)).await?.stamped;
    result(&match stamped.len() {
        0 => "nothing to stamp".to_owned(),
        count => format!("stamped {count} without running: {}", list(&stamped)),
    });
    Ok(Exit::Done)
}

/// The facts of the migrations up to that version.
async fn expected(there: &Context, target: Target, live: &Session) -> Result<Facts, Error> {
    let there = match target {
        Target::Version(version) => Context { migrator: there.migrator.clone().on_road_to(version), ..there.clone() },
        _ => there.clone(),
    };
    let scratch = Scratch::new(&there).await?;
    let facts = async {
        let mut database = scratch.database().await?;
        let [here, live] = [database.locked.server(), live.server()].map(|server| server.version_number / 10_000);
        if here != live {
            return Err(Error::usage(format!(
                "the server is PostgreSQL {live}, and the throwaway one PostgreSQL {here}"
            ))
            .help(format!("set PG_BIN to the programs of PostgreSQL {live}")));
        }
        database.up(target, false).await?;
        let facts = database.locked.facts().await?;
        scratch.discard(database).await;
        Ok(facts)
    }
    .await;
    scratch.finish().await;
    facts
}

async fn compare(context: &Context, session: &Session, mut expected: Facts, to: i64) -> Result<(), Error> {
    let settings = &context.migrator.embedded().settings;
    let mut found = session.facts().await?;
    for facts in [&mut expected, &mut found] {
        facts.ignore(&settings.drift_ignore, settings.drift_owners);
    }
    found.refuse_unknown(&[])?;
    let differences = diff(&expected, &found);
    if differences.is_empty() {
        return Ok(());
    }
    let database = &session.server().database;
    Err(Error::refused(format!("the schema of database `{database}` is not that of version {to}; nothing was recorded"))
        .note(report(&differences))
        .help("stamp another version, bring the schema to that state, or list what may differ under `ignore` in [drift] of db/migrator.toml"))
}
