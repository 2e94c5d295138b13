//! Builds the web client (wasm, its bindings, the style sheet, static files) and the server with
//! nothing but cargo: `wasm-bindgen` runs as a library, so no tool has to be installed for it.
//! May not know what is in the app, and may not start anything but cargo, cp and wasm-opt.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "cargo xtask client [--release]   the web client, into target/site
cargo xtask build [--release]    client and server
cargo xtask dist                 an optimised directory that runs anywhere, into dist/";

/// Debian 12's binaryen 108 mixes up the two tables of what wasm-bindgen writes, and says nothing;
/// 110 and later are right (measured).
const SOUND_WASM_OPT: u32 = 110;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let release = args.iter().any(|arg| arg == "--release");
    let outcome = match args.first().map(String::as_str) {
        Some("client") => client(release),
        Some("build") => client(release).and_then(|()| server(release)),
        Some("dist") => dist(),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    if let Err(error) = outcome {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}

/// A path in the project, wherever cargo was called.
fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs one command line in the project. Not for arguments with spaces.
fn run(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let status = Command::new(name).args(words).current_dir(at(".")).status();
    let status = status.with_context(|| format!("{name} does not start"))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

fn server(release: bool) -> Result<()> {
    run(if release { "cargo build --bin unsplit --release" } else { "cargo build --bin unsplit" })
}

/// Wasm, bindings, style sheet and static files, into target/site.
fn client(release: bool) -> Result<()> {
    let (profile, folder) = if release { ("wasm-release", "wasm-release") } else { ("dev", "debug") };
    run(&format!(
        "cargo build --lib --target wasm32-unknown-unknown --target-dir target/wasm
         --no-default-features --features hydrate --profile {profile}"
    ))?;
    let built = format!("target/wasm/wasm32-unknown-unknown/{folder}/unsplit.wasm");
    bind(&at(&built), release)?;
    fs::create_dir_all(at("target/style"))?;
    fs::write(at("target/style/unsplit.css"), style_sheet()?)?;
    run("cp target/style/unsplit.css target/site/pkg/unsplit.css")?;
    run("cp -R public/. target/site/")
}

/// Runs wasm-bindgen, unless the bindings that are there were made from this very file.
fn bind(wasm: &Path, release: bool) -> Result<()> {
    let (package, stamp) = (at("target/site/pkg"), at("target/site-stamp"));
    let current = format!("{wasm:?} {:?}", fs::metadata(wasm)?.modified()?);
    let last = fs::read_to_string(&stamp).unwrap_or_default();
    if last == current && package.join("unsplit_bg.wasm").exists() {
        return Ok(());
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("unsplit").typescript(false).web(true)?;
    bindgen.remove_name_section(release);
    bindgen.generate(&package).context("wasm-bindgen")?;
    if release {
        shrink("target/site/pkg/unsplit_bg.wasm");
    }
    Ok(fs::write(&stamp, current)?)
}

/// A small gain where a good wasm-opt is on PATH, and no loss where there is none.
fn shrink(wasm: &str) {
    if wasm_opt_version() < SOUND_WASM_OPT {
        return eprintln!("wasm-opt {SOUND_WASM_OPT} or newer would make the client a little smaller");
    }
    let features = "--enable-bulk-memory --enable-multivalue --enable-mutable-globals
        --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext";
    if let Err(error) = run(&format!("wasm-opt -Oz {features} {wasm} -o {wasm}")) {
        eprintln!("warning: {error:#}; the client stays as it was");
    }
}

/// 0 where there is none. It says, for example, "wasm-opt version 132 (version_132)".
fn wasm_opt_version() -> u32 {
    let said = Command::new("wasm-opt").arg("--version").output().map(|output| output.stdout);
    let said = String::from_utf8(said.unwrap_or_default()).unwrap_or_default();
    said.split_whitespace().nth(2).and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// style/main.css with each `@import "file.css";` replaced by the file.
fn style_sheet() -> Result<String> {
    let mut sheet = String::new();
    for line in fs::read_to_string(at("style/main.css"))?.lines() {
        let import = line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";"));
        if let Some(name) = import {
            let path = at("style").join(name);
            sheet += &fs::read_to_string(&path).with_context(|| format!("{path:?}"))?;
        } else {
            sheet += line;
        }
        sheet.push('\n');
    }
    Ok(sheet)
}

fn dist() -> Result<()> {
    run("cargo build --bin unsplit --release --no-default-features --features ssr")?;
    // Last, as it shares target/site with `make run`.
    client(true)?;
    if at("dist").exists() {
        fs::remove_dir_all(at("dist"))?;
    }
    fs::create_dir_all(at("dist"))?;
    run("cp -R target/site target/release/unsplit dist/")?;
    run("cp plans.toml .env.example xtask/RUN.txt dist/")?;
    let options = fs::read_to_string(at("Leptos.toml"))?;
    let options = options.replace("target/site", "site").replace("\"DEV\"", "\"PROD\"");
    if options.contains("target/") {
        bail!("Leptos.toml names a path below target/ that dist does not know");
    }
    Ok(fs::write(at("dist/Leptos.toml"), options)?)
}
