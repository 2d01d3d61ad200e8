//! Programs that start another one, given behind their options: what they do to its environment.

use std::cell::OnceCell;

use super::launch::given;
use super::told::{SHELLS, inner_text, per_job, powershell_text, wrapped_text};
use super::{BUILTINS, HOLE, Shell, Word, assignment, base_name, is_python};
use crate::scan::catalogue::flag::{flags, program};
use crate::scan::fact::Whose;

/// A program that starts another one.
struct Wrapper {
    name: &'static str,
    /// Its options that take a word.
    with_value: &'static [&'static str],
}

const fn wrapper(name: &'static str, with_value: &'static [&'static str]) -> Wrapper {
    Wrapper { name, with_value }
}

#[rustfmt::skip]
const WRAPPERS: &[Wrapper] = &[
    wrapper("builtin", &[]),
    wrapper("call", &[]),
    wrapper("catchsegv", &[]),
    wrapper("chronic", &[]),
    wrapper("chrt", &[]),
    wrapper("command", &[]),
    wrapper("compute-sanitizer", &["--tool"]),
    wrapper("coverage", &[]),
    wrapper("cross-env", &[]),
    wrapper("cuda-memcheck", &[]),
    wrapper("exec", &["-a"]),
    wrapper("gdb", &[]),
    wrapper("ionice", &["-c", "-n"]),
    wrapper("ncu", &["-o", "-k", "--set", "--section"]),
    wrapper("nice", &["-n"]),
    wrapper("nohup", &[]),
    wrapper("not", &[]),
    wrapper("npx", &["-p", "--package"]),
    wrapper("nsys", &["-o", "-t", "-w", "-f", "-c"]),
    wrapper("numactl", &["-N", "-m", "-C", "-i"]),
    wrapper("proxychains", &["-f"]),
    wrapper("setsid", &[]),
    wrapper("srun", &[
        "-A", "-B", "-C", "-D", "-G", "-J", "-M", "-N", "-S", "-c", "-d", "-e", "-i", "-m", "-n",
        "-o", "-p", "-q", "-t", "-w", "-x", "--account", "--constraint", "--cpus-per-task",
        "--error", "--exclude", "--export", "--gpus", "--gpus-per-node", "--gpus-per-task",
        "--gres", "--job-name", "--jobid", "--mem", "--mpi", "--nodelist", "--nodes", "--ntasks",
        "--ntasks-per-node", "--output", "--partition", "--qos", "--time",
    ]),
    wrapper("stdbuf", &["-i", "-o", "-e"]),
    wrapper("strace", &["-o", "-e", "-p"]),
    wrapper("taskset", &["-c"]),
    wrapper("timeout", &["-s", "-k"]),
    wrapper("unbuffer", &[]),
    wrapper("valgrind", &[]),
    wrapper("winpty", &[]),
    wrapper("xvfb-run", &["-n", "-s", "-e", "-f"]),
];

/// Programs whose `run` starts another one.
const RUNNERS: &[&str] = &[
    "conda",
    "coverage",
    "hatch",
    "mamba",
    "micromamba",
    "pdm",
    "pipenv",
    "pixi",
    "poetry",
    "rye",
    "uv",
];

/// Options of `run` that take a word.
const OF_RUN: &[&str] = &[
    "-n", "-p", "-e", "--name", "--prefix", "--with", "--python", "--extra", "--group",
];

/// Options of `env` that take a word.
const ENV_VALUES: &[&str] = &["-u", "-C", "-S", "--unset", "--chdir"];

/// Options of `sudo` that take a word.
const SUDO_VALUES: &[&str] = &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D"];

/// Options of `xargs` that take a word.
const XARGS_VALUES: &[&str] = &["-E", "-I", "-L", "-P", "-a", "-d", "-n", "-s"];

/// Options of `mpirun` and `mpiexec` that take a word, or more.
const MPI_VALUES: &[&str] = &[
    "-H",
    "-N",
    "-c",
    "-f",
    "-host",
    "-hostfile",
    "-hosts",
    "-machinefile",
    "-n",
    "-np",
    "-ppn",
    "-x",
    "--bind-to",
    "--host",
    "--hostfile",
    "--machinefile",
    "--map-by",
    "--np",
    "--rank-by",
    "--timeout",
    "--wdir",
    "-bind-to",
    "-map-by",
    "-wdir",
];

/// Options of GNU `parallel` that take a word.
const PARALLEL_VALUES: &[&str] = &[
    "-I",
    "-N",
    "-P",
    "-S",
    "-a",
    "-d",
    "-j",
    "-n",
    "--arg-file",
    "--colsep",
    "--delay",
    "--jobs",
    "--joblog",
    "--max-procs",
    "--results",
    "--retries",
    "--sshlogin",
    "--timeout",
    "--tmpdir",
    "--workdir",
];

/// Options of `singularity exec` and `apptainer exec` that take a word.
const SINGULARITY_VALUES: &[&str] = &[
    "-B",
    "-H",
    "-S",
    "-W",
    "--add-caps",
    "--app",
    "--bind",
    "--cwd",
    "--drop-caps",
    "--env",
    "--env-file",
    "--home",
    "--hostname",
    "--mount",
    "--network",
    "--network-args",
    "--overlay",
    "--pwd",
    "--scratch",
    "--security",
    "--workdir",
];

/// Options of `ssh` that take a word.
const SSH_VALUES: &[&str] = &[
    "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p", "-R",
    "-S", "-W", "-w",
];

/// Windows of terminals, which take commands as text.
const TERMINALS: &[&str] = &["screen", "su", "tmux", "watch", "wsl"];

impl Shell {
    /// A program, with the variables in front of it and the programs that only start it.
    pub(super) fn program(&mut self, words: &[Word], deep: u8) {
        let mut rest = words;
        // What the program gets in front of it, and not from the shell.
        let mut given: Vec<usize> = Vec::new();
        let mut keeps = true;
        let of_xargs = OnceCell::new();
        while let Some((first, behind)) = rest.split_first() {
            if assignment(first).is_some() {
                self.device(first);
                let before = self.found.facts.len();
                self.write(first, Whose::Child);
                given.extend(before..self.found.facts.len());
                rest = behind;
                continue;
            }
            let name = base_name(&first.text);
            rest = match name {
                "env" => self.env(behind, &given, &mut keeps),
                "sudo" | "doas" => {
                    let end = after_options(behind, SUDO_VALUES);
                    let options = &behind[..behind.len() - end.len()];
                    if !options.iter().any(preserves) {
                        keeps = false;
                        self.drop(&given);
                    }
                    end
                }
                "ssh" => {
                    keeps = false;
                    self.drop(&given);
                    let host = after_options(behind, SSH_VALUES);
                    let remote = host.get(1..).unwrap_or_default();
                    // `ssh host "CUDA_VISIBLE_DEVICES=0 python a.py"`
                    if let [only] = remote
                        && only.text.contains([' ', ';'])
                    {
                        self.inner(only, deep);
                        return;
                    }
                    remote
                }
                "xargs" => {
                    let end = after_options(behind, XARGS_VALUES);
                    let options = &behind[..behind.len() - end.len()];
                    match placeholder(options) {
                        // Once: of what fills in what is filled in, nothing is known.
                        Some(mark) if of_xargs.get().is_none() => {
                            of_xargs.get_or_init(|| filled_in(end, mark))
                        }
                        _ => end,
                    }
                }
                "mpirun" | "mpiexec" | "orterun" => {
                    let end = after_options(behind, MPI_VALUES);
                    self.handed_on(&behind[..behind.len() - end.len()]);
                    end
                }
                "singularity" | "apptainer" => match self.singularity(behind) {
                    Some(command) => command,
                    None => break,
                },
                "parallel" => {
                    let command = after_options(behind, PARALLEL_VALUES);
                    let end = command.iter().position(|word| word.text.starts_with(":::"));
                    let (command, _) = command.split_at(end.unwrap_or(command.len()));
                    match command {
                        [only] if only.text.contains([' ', ';']) => {
                            self.reach();
                            self.inner(&per_job(only), deep);
                            return;
                        }
                        _ if of_xargs.get().is_none() => {
                            of_xargs.get_or_init(|| command.iter().map(per_job).collect())
                        }
                        _ => command,
                    }
                }
                _ if is_sudo_or_nothing(first) => behind,
                _ if RUNNERS.contains(&name)
                    && behind.first().is_some_and(|word| word.text == "run") =>
                {
                    after_options(&behind[1..], OF_RUN)
                }
                _ => match WRAPPERS.iter().find(|wrapper| wrapper.name == name) {
                    Some(wrapper) => self.wrapped(wrapper, behind),
                    None => break,
                },
            };
        }
        if let Some((first, arguments)) = rest.split_first() {
            self.start((first, arguments), keeps, deep);
        }
    }

    /// The program itself, and whether it sees what was exported.
    fn start(&mut self, (first, arguments): (&Word, &[Word]), keeps: bool, deep: u8) {
        let name = base_name(&first.text);
        if BUILTINS.contains(&name) {
            return;
        }
        if !is_idle(name) {
            self.has_run = true;
            self.tidied.clear();
        }
        if keeps && runs_on_cards(name) {
            self.seen_by_cards();
        }
        if keeps {
            self.reach();
        } else if runs_on_cards(name) {
            let unseen = std::mem::take(&mut self.unseen);
            self.withheld.extend(unseen);
        }
        // `ssh host "cd x && python a.py"`
        if arguments.is_empty() && first.text.contains([' ', ';']) {
            self.inner(first, deep);
            return;
        }
        if let Some(text) = inner_text(name, arguments) {
            self.inner(text, deep);
            return;
        }
        if TERMINALS.contains(&name) {
            self.terminal(arguments, deep);
            return;
        }
        if let Some(text) = powershell_text(name, arguments) {
            self.powershell(text, deep);
            return;
        }
        if is_python(name) {
            self.code(arguments);
            // It was started from here, with what there was before.
            for at in std::mem::take(&mut self.kept) {
                self.set_whose(at, Whose::Nobody);
            }
        }
        if ["sbatch", "salloc"].contains(&name) {
            self.exported_to_job(arguments);
            if let Some(text) = wrapped_text(arguments) {
                self.inner(&text, deep);
            }
        }
        // What make is given so, its recipes have in their environment.
        if ["make", "gmake"].contains(&name) {
            for word in arguments {
                self.write(word, Whose::Child);
            }
        }
        self.kept_by_conda(name, arguments);
        self.launcher(name, arguments);
        self.container(name, arguments, deep);
    }

    /// The words behind `env` and its options.
    fn env<'w>(&mut self, words: &'w [Word], given: &[usize], keeps: &mut bool) -> &'w [Word] {
        let end = after_options(words, ENV_VALUES);
        let options = &words[..words.len() - end.len()];
        self.without(options);
        // `env -` is `env -i`.
        let (lone, end) = match end.split_first() {
            Some((dash, end)) if dash.text == "-" => (true, end),
            _ => (false, end),
        };
        if lone || options.iter().any(starts_empty) {
            *keeps = false;
            self.drop(given);
        }
        end
    }

    /// The words behind a wrapper and its options.
    fn wrapped<'w>(&mut self, wrapper: &Wrapper, words: &'w [Word]) -> &'w [Word] {
        let end = after_options(words, wrapper.with_value);
        if wrapper.name == "srun" {
            self.exported_to_job(&words[..words.len() - end.len()]);
        }
        after_numbers(end, wrapper.name)
    }

    /// `singularity exec --nv image python a.py`: the host's environment and all of its cards, and the
    /// command behind the image.
    fn singularity<'w>(&mut self, words: &'w [Word]) -> Option<&'w [Word]> {
        let (verb, behind) = after_options(words, &[]).split_first()?;
        if !["exec", "run", "shell"].contains(&verb.text.as_str()) {
            return None;
        }
        let image = after_options(behind, SINGULARITY_VALUES);
        let options = &behind[..behind.len() - image.len()];
        for list in given(options, &["--env"]) {
            self.list(&list);
        }
        // What `run` is given is the image's own program's.
        if verb.text == "exec" {
            image.get(1..)
        } else {
            Some(image)
        }
    }

    /// `tmux send-keys 'python a.py' C-m`, `screen -dm bash -c 'python a.py'`
    fn terminal(&mut self, arguments: &[Word], deep: u8) {
        let is_shell = |word: &Word| SHELLS.contains(&base_name(&word.text));
        if let Some(at) = arguments.iter().position(is_shell)
            && let Some(text) = inner_text("sh", &arguments[at + 1..])
        {
            self.inner(text, deep);
            return;
        }
        for word in arguments.iter().filter(|word| word.text.contains(' ')) {
            self.inner(word, deep);
        }
    }

    /// `python -c '…'`
    fn code(&mut self, arguments: &[Word]) {
        let mut options = arguments
            .iter()
            .take_while(|word| word.text.starts_with('-'));
        let Some(at) = options.position(|word| word.text == "-c") else {
            return;
        };
        let Some(word) = arguments.get(at + 1) else {
            return;
        };
        self.python(word.literal().unwrap_or(word.span), &word.text);
    }

    /// The variables that `env -u` takes away.
    fn without(&mut self, options: &[Word]) {
        for (at, option) in options.iter().enumerate() {
            let joined = option.text.strip_prefix("--unset=").or_else(|| {
                option
                    .text
                    .strip_prefix("-u")
                    .filter(|name| !name.is_empty())
            });
            if let Some(name) = joined {
                self.removed(option, name, Whose::Child);
            } else if ["-u", "--unset"].contains(&option.text.as_str())
                && let Some(name) = options.get(at + 1)
            {
                self.removed(name, &name.text, Whose::Child);
            }
        }
    }

    /// A program starts: it sees what was exported.
    fn reach(&mut self) {
        self.unseen.clear();
        self.withheld.clear();
        let whose = if self.in_container {
            Whose::Container
        } else {
            Whose::Child
        };
        for at in std::mem::take(&mut self.exported) {
            self.set_whose(at, whose);
        }
    }

    /// Variables in front of a program that does not hand them on.
    fn drop(&mut self, given: &[usize]) {
        for at in given {
            self.set_whose(*at, Whose::Nobody);
        }
    }
}

/// Whether a word is `$SUDO`, which is `sudo` where that is needed.
fn is_sudo_or_nothing(word: &Word) -> bool {
    let [only] = word.references.as_slice() else {
        return false;
    };
    only.at.end - only.at.start == word.text.len()
        && only.name.to_ascii_uppercase().ends_with("SUDO")
}

/// Programs that only speak, wait, or move files: none of them misses a variable.
const IDLE: &[&str] = &[
    "cat",
    "clear",
    "cls",
    "cp",
    "date",
    "deactivate",
    "del",
    "endlocal",
    "exit",
    "goto",
    "hostname",
    "kill",
    "ls",
    "mkdir",
    "mv",
    "pause",
    "pop-location",
    "popd",
    "push-location",
    "pushd",
    "read-host",
    "remove-item",
    "rm",
    "set-location",
    "sleep",
    "start-sleep",
    "tail",
    "tee",
    "touch",
    "write-host",
    "write-information",
    "write-output",
];

fn is_idle(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    IDLE.contains(&name.as_str()) || BUILTINS.contains(&name.as_str())
}

/// Whether a program is one that may use cards: others do not miss what `sudo` withholds.
fn runs_on_cards(name: &str) -> bool {
    is_python(name)
        || ["accelerate", "deepspeed", "koboldcpp"].contains(&program(name))
        || flags(program(name)).next().is_some()
}

/// Whether an option makes `sudo` hand on the environment.
fn preserves(word: &Word) -> bool {
    word.text.starts_with("--preserve-env")
        || (word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('E'))
}

/// Whether an option makes `env` start with no variables at all.
fn starts_empty(word: &Word) -> bool {
    let is_short = |letters: &str| letters.starts_with('i') && !letters.starts_with('-');
    word.text == "--ignore-environment" || word.text.strip_prefix('-').is_some_and(is_short)
}

/// What `xargs` replaces by its input: `-I {}`, `-I{}`, `-i`.
fn placeholder(options: &[Word]) -> Option<&str> {
    options.iter().enumerate().find_map(|(at, option)| {
        let text = option.text.as_str();
        match text.strip_prefix("-I") {
            Some("") => options.get(at + 1).map(|word| word.text.as_str()),
            Some(mark) => Some(mark),
            None => ["-i", "--replace"].contains(&text).then_some("{}"),
        }
    })
}

/// Words in which something is filled in.
fn filled_in(words: &[Word], mark: &str) -> Vec<Word> {
    let mut words = words.to_vec();
    for word in words
        .iter_mut()
        .filter(|word| !mark.is_empty() && word.text.contains(mark))
    {
        word.text = word.text.replace(mark, HOLE.encode_utf8(&mut [0; 4]));
        word.quoted = None;
        word.plain = false;
        word.hide();
    }
    words
}

/// The words behind a program's options; `with_value` take a word each.
fn after_options<'w>(mut words: &'w [Word], with_value: &[&str]) -> &'w [Word] {
    // Two words: `mpirun -mca name value`, `mpiexec -env name value`.
    const PAIRS: &[&str] = &["-mca", "--mca", "-env", "-genv"];
    while let Some((first, behind)) = words.split_first() {
        if !first.text.starts_with('-') || first.text == "-" {
            break;
        }
        words = behind;
        if first.text == "--" {
            break;
        }
        let option = first.text.as_str();
        if with_value.contains(&option) {
            words = words.get(1..).unwrap_or_default();
        } else if PAIRS.contains(&option) {
            words = words.get(2..).unwrap_or_default();
        }
    }
    words
}

/// Without the times and masks that wrappers take (`timeout 10m`, `taskset 0x3`), and the word that
/// says what they do (`nsys profile`).
fn after_numbers<'w>(words: &'w [Word], name: &str) -> &'w [Word] {
    match words.split_first() {
        Some((first, behind)) if first.text.starts_with(|c: char| c.is_ascii_digit()) => behind,
        Some((first, behind)) if name == "nsys" && first.text == "profile" => {
            after_options(behind, &["-o", "-t", "-w", "-f", "-c"])
        }
        _ => words,
    }
}
