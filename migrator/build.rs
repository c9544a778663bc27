//! Reads, checks and embeds the repository's own db directory.

fn main() {
    migrator_build::embed("../db");
}
