//! Lists the files in src/rules, so that a rule is added with its file alone.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/rules");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/rules");
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    let mut list = String::from("rules! {\n");
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a rule's file is not named in UTF-8")?;
        list.push_str(&format!("    {path:?} {name},\n"));
    }
    list.push_str("}\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("rules.rs"), list)?;
    Ok(())
}
