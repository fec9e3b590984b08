//! The crate model2vec-rs in `make bench-embed`. Arguments and output as in ../peer.py.
use anyhow::{Context, Result};
use model2vec_rs::model::StaticModel;
use std::{env, fs, path::Path, time::Instant};

fn read_texts(path: &str) -> Result<Vec<String>> {
    let lines = fs::read_to_string(path)?;
    let text = |line: &str| -> Result<String> {
        let value: serde_json::Value = serde_json::from_str(line)?;
        Ok(value["text"].as_str().context("no field text")?.to_owned())
    };
    lines.lines().map(text).collect()
}

fn processor_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists on every POSIX system and writes to a struct that is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// The second value is the limit of tokens: a folder without a config.json is a WordLlama model, which has none.
fn open(folder: &Path) -> Result<(StaticModel, Option<usize>)> {
    let config = fs::read(folder.join("config.json")).ok();
    let limit = config.as_ref().map(|_| 512);
    let model = StaticModel::from_bytes(
        fs::read(folder.join("tokenizer.json"))?,
        fs::read(folder.join("model.safetensors"))?,
        config.unwrap_or_else(|| br#"{"normalize": false}"#.to_vec()),
        None,
    )?;
    Ok((model, limit))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let [_, folder, file, rounds, vectors @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: bench_model2vec MODEL TEXTS.jsonl ROUNDS [VECTORS]");
    };
    let texts = read_texts(file)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let start = Instant::now();
    let (model, limit) = open(Path::new(folder))?;
    let opened = start.elapsed().as_secs_f64();
    let rows = model.encode_flat_with_args(&texts, limit);
    if let [path] = vectors {
        fs::write(
            path,
            rows.iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<u8>>(),
        )?;
    }
    drop(rows);
    for _ in 0..rounds.parse()? {
        let (start, before) = (Instant::now(), processor_seconds());
        let rows = model.encode_flat_with_args(&texts, limit);
        let worked = processor_seconds() - before;
        let seconds = start.elapsed().as_secs_f64();
        drop(rows);
        println!(
            "{seconds:.6}\t{worked:.6}\t{}\t{bytes}\t0\t{opened:.6}",
            texts.len()
        );
    }
    Ok(())
}
