//! The file that remembers: one JSON line a transaction, appended and flushed to disk before the answer goes
//! out. Read and compacted at start. A last line that was torn by a crash is dropped; a bad line before that
//! is an error, because silently losing state would be worse than not starting.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::change::{Change, Loaded};
use super::store::Store;
use crate::StartError;

/// Whether a write must be on disk before anyone hears of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Flushed to disk.
    Flushed,
    /// Left to the operating system: losing it costs at most a repeated webhook.
    Lazy,
}

#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    _lock: File,
}

impl Journal {
    /// Opens `directory`, reads what is there into `store` and rewrites it without what is obsolete.
    pub fn open(directory: &Path, store: &mut Store) -> Result<Journal, StartError> {
        let unwritable = |source| StartError::DataDir { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(unwritable)?;
        let lock = lock(directory)?;
        let path = directory.join("journal.jsonl");
        match fs::read(&path) {
            Ok(bytes) => replay(&path, &bytes, store)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StartError::Unreadable { path, line: 0, reason: source.to_string() }),
        }
        let (file, length) = compact(&path, store).map_err(unwritable)?;
        Ok(Journal { path, file, length, _lock: lock })
    }

    /// Appends one transaction. After an error the file is as it was before.
    pub fn append(&mut self, changes: &[Change], durability: Durability) -> io::Result<()> {
        let mut line = serde_json::to_vec(changes)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| match durability {
            Durability::Flushed => self.file.sync_data(),
            Durability::Lazy => Ok(()),
        });
        match written {
            Ok(()) => self.length += line.len() as u64,
            Err(_) => {
                self.file.set_len(self.length)?;
                self.file.seek(SeekFrom::Start(self.length))?;
            }
        }
        written
    }

    /// Rewrites the file with what `store` holds now.
    pub fn rewrite(&mut self, store: &Store) -> io::Result<()> {
        (self.file, self.length) = compact(&self.path, store)?;
        Ok(())
    }
}

/// Everything in a store, one object a line, as `read_snapshot` takes it.
pub fn snapshot(store: &Store) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    write_all(&mut lines, store)?;
    Ok(lines)
}

/// The store that a snapshot makes, or the line that cannot be read and why.
pub fn read_snapshot(lines: &[u8]) -> Result<Store, (usize, String)> {
    let mut store = Store::default();
    let lines = lines.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    for (at, line) in lines {
        apply_line(line, &mut store).map_err(|error| (at + 1, error.to_string()))?;
    }
    Ok(store)
}

fn apply_line(line: &[u8], store: &mut Store) -> serde_json::Result<()> {
    let changes: Vec<Change> = serde_json::from_slice(line)?;
    changes.into_iter().for_each(|change| change.apply(store));
    Ok(())
}

fn write_all(file: &mut impl Write, store: &Store) -> io::Result<()> {
    let mut loaded = Loaded::default();
    for (kind, id, record) in store.everything() {
        if !loaded.take(kind, record) {
            write_line(file, &Change::of(kind, id, Some(record)))?;
        }
    }
    loaded.into_changes().try_for_each(|change| write_line(file, &change))
}

fn write_line(file: &mut impl Write, change: &Change) -> io::Result<()> {
    serde_json::to_writer(&mut *file, &[change])?;
    file.write_all(b"\n")
}

fn lock(directory: &Path) -> Result<File, StartError> {
    let unwritable = |source| StartError::DataDir { path: directory.to_owned(), source };
    let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
    let file = options.open(directory.join("lock")).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::DataDirInUse { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unwritable(source)),
    }
}

fn replay(path: &Path, bytes: &[u8], store: &mut Store) -> Result<(), StartError> {
    let mut rest = bytes;
    let mut line = 0;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        line += 1;
        apply_line(&rest[..end], store).map_err(|error| StartError::Unreadable {
            path: path.to_owned(),
            line,
            reason: error.to_string(),
        })?;
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        tracing::warn!(path = %path.display(), line = line + 1, "dropped a last line that was not written to its end");
    }
    Ok(())
}

fn compact(path: &Path, store: &Store) -> io::Result<(File, u64)> {
    let fresh = path.with_extension("jsonl.new");
    let mut file = io::BufWriter::new(File::create(&fresh)?);
    write_all(&mut file, store)?;
    file.flush()?;
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    let length = file.stream_position()?;
    Ok((file, length))
}
