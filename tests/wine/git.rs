//! The `git` of Linux for programs that run under wine: there is no Git for Windows to be had on a
//! machine without Windows.
//!
//! Built twice by `tests/windows.sh`: for Windows it is `git.exe`, which the programs under test
//! start; for Linux it is the server beside wine that starts `git` for it. They talk over a TCP
//! connection on the loopback address, since a pipe of wine's is no pipe of Linux's. Paths are
//! turned from `Z:\folder` into `/folder` on the way there, and on the way back where the command
//! prints paths, as Git for Windows prints them: `Z:/folder`.
//!
//! A message is one byte that says what it is, the length of its content in four bytes (little
//! endian), and the content in UTF-8 or, from and to standard streams, in any bytes.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// An argument of git's, in order.
const ARGUMENT: u8 = b'a';
/// `NAME=VALUE`, for git's environment.
const VARIABLE: u8 = b'e';
/// The folder to start git in.
const FOLDER: u8 = b'd';
/// All has been said: git is started.
const START: u8 = b's';
/// Bytes of standard input; none: it has ended.
const INPUT: u8 = b'i';
/// Bytes of standard output.
const OUTPUT: u8 = b'o';
/// Bytes of the error output.
const ERRORS: u8 = b'x';
/// The exit code, one byte.
const EXIT: u8 = b'q';

fn send(to: &mut impl Write, what: u8, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(content.len() + 5);
    message.push(what);
    message.extend_from_slice(&length.to_le_bytes());
    message.extend_from_slice(content);
    to.write_all(&message)
}

fn receive(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [what, length @ ..] = head;
    let mut content = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut content)?;
    Ok((what, content))
}

#[cfg(windows)]
mod client {
    use super::*;

    /// Not the caller's to hand on: wine has its own.
    const OWN: &[&str] = &[
        "PATH",
        "PATHEXT",
        "TEMP",
        "TMP",
        "COMSPEC",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
    ];

    pub fn run() -> io::Result<u8> {
        let port = std::env::var("LINUX_GIT_PORT").map_err(io::Error::other)?;
        let port: u16 = port.parse().map_err(io::Error::other)?;
        let mut server = TcpStream::connect(("127.0.0.1", port))?;
        server.set_nodelay(true)?;
        for argument in std::env::args_os().skip(1) {
            send(&mut server, ARGUMENT, argument.to_string_lossy().as_bytes())?;
        }
        for (name, value) in std::env::vars_os() {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            if !OWN.contains(&name.to_uppercase().as_str()) && !name.starts_with("WINE") {
                send(&mut server, VARIABLE, format!("{name}={value}").as_bytes())?;
            }
        }
        let folder = std::env::current_dir()?;
        send(&mut server, FOLDER, folder.to_string_lossy().as_bytes())?;
        send(&mut server, START, b"")?;

        let mut input = server.try_clone()?;
        // Ends with the process: git need not read to the end.
        std::thread::spawn(move || send_all(io::stdin(), &mut input, INPUT));
        loop {
            let (what, content) = receive(&mut server)?;
            // Whoever reads us may have gone.
            let told = match what {
                OUTPUT => write(io::stdout(), &content),
                ERRORS => write(io::stderr(), &content),
                EXIT => return Ok(content.first().copied().unwrap_or(255)),
                _ => Ok(()),
            };
            if told.is_err() {
                return Ok(141);
            }
        }
    }

    /// Sends all that `from` gives as messages of one kind.
    fn send_all(mut from: impl Read, to: &mut TcpStream, what: u8) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = from.read(&mut buffer)?;
            send(to, what, &buffer[..count])?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn write(mut to: impl Write, content: &[u8]) -> io::Result<()> {
        to.write_all(content)?;
        to.flush()
    }
}

#[cfg(unix)]
mod server {
    use super::*;
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, Permissions};
    use std::net::TcpListener;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::ExitStatusExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::thread;

    /// Answers until it is ended, and says its port on standard output.
    pub fn run() -> io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        println!("{}", listener.local_addr()?.port());
        for client in listener.incoming() {
            let client = client?;
            thread::spawn(move || {
                if let Err(error) = serve(client) {
                    // A program that was ended leaves its connection.
                    eprintln!("git server: {error}");
                }
            });
        }
        Ok(())
    }

    fn serve(mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut git = Command::new(std::env::var_os("LINUX_GIT").unwrap_or("git".into()));
        git.env_clear();
        // With the rest, its hooks start programs of this wine.
        for name in ["PATH", "WINEPREFIX", "WINEDEBUG"] {
            if let Some(value) = std::env::var_os(name) {
                git.env(name, value);
            }
        }
        let mut arguments = Vec::new();
        loop {
            let (what, content) = receive(&mut client)?;
            match what {
                ARGUMENT => arguments.push(unix_path(&content)),
                VARIABLE => {
                    let equals = content.iter().position(|&byte| byte == b'=').unwrap_or(0);
                    let (name, value) = content.split_at(equals);
                    if !name.is_empty() {
                        git.env(text(name.to_vec()), text(unix_path(&value[1..])));
                    }
                }
                FOLDER => {
                    let folder = PathBuf::from(text(unix_path(&content)));
                    make_hooks_executable(&folder);
                    git.current_dir(folder);
                }
                START => break,
                _ => return Err(io::Error::other("this is no message of a start")),
            }
        }
        for argument in &arguments {
            if let Some(folder) = argument.strip_prefix(b"core.hooksPath=") {
                start_programs(Path::new(OsStr::from_bytes(folder)))?;
            }
        }
        let prints_paths = prints_paths(&arguments);
        let reads_paths = arguments
            .iter()
            .any(|argument| argument == b"--stdin-paths");
        git.args(arguments.into_iter().map(text));
        git.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match git.spawn() {
            Ok(child) => child,
            Err(error) => {
                send(
                    &mut client,
                    ERRORS,
                    format!("git server: {error}\n").as_bytes(),
                )?;
                return send(&mut client, EXIT, &[127]);
            }
        };
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut from_client = client.try_clone()?;
        thread::spawn(move || {
            let mut stdin = stdin;
            let mut unfinished = Vec::new();
            while let Ok((INPUT, content)) = receive(&mut from_client) {
                let ended = content.is_empty();
                let content = if reads_paths {
                    unfinished.extend_from_slice(&content);
                    whole_paths(&mut unfinished, ended)
                } else {
                    content
                };
                // Git may have closed it; the rest is read all the same.
                if let Some(open) = &mut stdin
                    && open.write_all(&content).is_err()
                {
                    stdin = None;
                }
                if ended {
                    stdin = None;
                }
            }
        });
        // One writer at a time: both streams go over one connection.
        let lock = std::sync::Mutex::new(client);
        thread::scope(|scope| {
            scope.spawn(|| pass_on(stderr, &lock, ERRORS, false));
            pass_on(stdout, &lock, OUTPUT, prints_paths)
        })?;
        let status = child.wait()?;
        let code = status
            .code()
            .or(status.signal().map(|signal| 128 + signal))
            .unwrap_or(255);
        let mut client = lock
            .into_inner()
            .map_err(|_| io::Error::other("a thread ended early"))?;
        send(&mut client, EXIT, &[u8::try_from(code).unwrap_or(255)])
    }

    /// Git for Windows starts hooks whatever their mode, and wine gives none to a file.
    fn make_hooks_executable(folder: &Path) {
        for hooks in [".git/hooks", "hooks"] {
            for hook in folder
                .join(hooks)
                .read_dir()
                .into_iter()
                .flatten()
                .flatten()
            {
                // One that has gone is nothing to mend.
                let _ = fs::set_permissions(hook.path(), Permissions::from_mode(0o755));
            }
        }
    }

    /// Git for Windows starts `pre-commit.exe` where there is no `pre-commit`: a script does it here.
    fn start_programs(folder: &Path) -> io::Result<()> {
        let starter = std::env::var("LINUX_GIT_STARTS").unwrap_or_default();
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let program = entry.path();
            let script = program.with_extension("");
            if program.extension().is_some_and(|ending| ending == "exe") && !script.exists() {
                let content = format!("#!/bin/sh\nexec {starter} '{}' \"$@\"\n", program.display());
                fs::write(&script, content)?;
                fs::set_permissions(&script, Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }

    fn pass_on(
        from: Option<impl Read>,
        to: &std::sync::Mutex<TcpStream>,
        what: u8,
        has_paths: bool,
    ) -> io::Result<()> {
        let Some(mut from) = from else { return Ok(()) };
        let mut buffer = vec![0; 1 << 16];
        let mut all = Vec::new();
        loop {
            let count = from.read(&mut buffer)?;
            let content = match (has_paths, count) {
                (false, 0) => return Ok(()),
                (false, _) => &buffer[..count],
                (true, 0) => &windows_paths(&all)[..],
                (true, _) => {
                    all.extend_from_slice(&buffer[..count]);
                    continue;
                }
            };
            let mut to = to
                .lock()
                .map_err(|_| io::Error::other("a thread ended early"))?;
            for part in content.chunks(1 << 20) {
                send(&mut *to, what, part)?;
            }
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn text(bytes: Vec<u8>) -> OsString {
        OsString::from_vec(bytes)
    }

    /// `Z:\folder` or `--option=Z:\folder` as Linux has it; anything else as it is.
    fn unix_path(text: &[u8]) -> Vec<u8> {
        for drive in [
            &br"\\?\Z:\"[..],
            br"\\?\z:\",
            br"Z:\",
            br"z:\",
            b"Z:/",
            b"z:/",
        ] {
            let Some(at) = text.windows(drive.len()).position(|window| window == drive) else {
                continue;
            };
            // Lists of folders are put together with ";" on Windows.
            let before = &text[..at];
            let starts = before.last().is_none_or(|byte| b"=;: ".contains(byte))
                || before.ends_with(b"file://");
            if starts {
                let mut path = text[..at].to_vec();
                path.push(b'/');
                let rest = &text[at + drive.len()..];
                path.extend(
                    rest.iter()
                        .map(|&byte| if byte == b'\\' { b'/' } else { byte }),
                );
                return path;
            }
        }
        text.to_vec()
    }

    /// Takes the lines that are whole out of `text`, with paths as Linux has them; all of it at the end.
    fn whole_paths(text: &mut Vec<u8>, ended: bool) -> Vec<u8> {
        let end = match text.iter().rposition(|&byte| byte == b'\n') {
            _ if ended => text.len(),
            Some(at) => at + 1,
            None => 0,
        };
        let lines: Vec<u8> = text.drain(..end).collect();
        let lines = lines.split_inclusive(|&byte| byte == b'\n');
        lines.flat_map(unix_path).collect()
    }

    /// Whether what the command prints are paths of this machine.
    fn prints_paths(arguments: &[Vec<u8>]) -> bool {
        let mut words = arguments.iter().map(Vec::as_slice);
        while let Some(word) = words.next() {
            match word {
                b"-C" | b"-c" => drop(words.next()),
                [b'-', ..] => {}
                _ => {
                    return matches!(
                        word,
                        b"rev-parse" | b"worktree" | b"config" | b"var" | b"init"
                    );
                }
            }
        }
        false
    }

    /// `/folder` at the start of a line or field as Git for Windows prints it.
    fn windows_paths(output: &[u8]) -> Vec<u8> {
        let mut turned = Vec::with_capacity(output.len() + 16);
        for (at, &byte) in output.iter().enumerate() {
            let before = &output[..at];
            let starts = before.is_empty()
                || before.ends_with(b"\n")
                || before.ends_with(b"\0")
                || ends_field(before, b"worktree ")
                || ends_field(before, b"file:");
            if byte == b'/' && starts {
                turned.extend_from_slice(b"Z:");
            }
            turned.push(byte);
        }
        turned
    }

    /// Whether `before` ends with `word`, at the start of a line or field.
    fn ends_field(before: &[u8], word: &[u8]) -> bool {
        before
            .strip_suffix(word)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(b"\n") || rest.ends_with(b"\0"))
    }
}

#[cfg(windows)]
fn main() {
    let code = client::run().unwrap_or_else(|error| {
        eprintln!("git.exe: {error}");
        255
    });
    std::process::exit(code.into());
}

#[cfg(unix)]
fn main() -> io::Result<()> {
    server::run()
}
