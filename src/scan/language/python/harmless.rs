//! Modules that are sure not to start CUDA when they are imported.

/// Whether importing a module (`os.path`) leaves CUDA alone. Modules that are not known, such as
/// the project's own, may import anything.
pub(super) fn is_harmless(module: &str) -> bool {
    is_standard(module) || OTHERS.binary_search(&root(module)).is_ok()
}

/// Whether a module is one of Python's own.
pub(super) fn is_standard(module: &str) -> bool {
    STANDARD.binary_search(&root(module)).is_ok()
}

fn root(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

/// The standard library, of Python 3 and a few of Python 2, sorted.
#[rustfmt::skip]
const STANDARD: &[&str] = &[
    "ConfigParser", "Queue", "StringIO", "__builtin__", "__future__", "abc", "aifc", "argparse",
    "array", "ast", "asynchat", "asyncio", "asyncore", "atexit", "audioop", "base64", "bdb",
    "binascii", "bisect", "builtins", "bz2", "cPickle", "cProfile", "cStringIO", "calendar",
    "cgi", "cgitb", "chunk", "cmath", "cmd", "code", "codecs", "codeop", "collections",
    "colorsys", "commands", "compileall", "concurrent", "configparser", "contextlib",
    "contextvars", "copy", "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses",
    "datetime", "dbm", "decimal", "difflib", "dis", "distutils", "doctest", "email", "encodings",
    "ensurepip", "enum", "errno", "exceptions", "faulthandler", "fcntl", "filecmp", "fileinput",
    "fnmatch", "fractions", "ftplib", "functools", "gc", "getopt", "getpass", "gettext", "glob",
    "graphlib", "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http", "imaplib", "imghdr",
    "imp", "importlib", "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache",
    "locale", "logging", "lzma", "mailbox", "mailcap", "marshal", "math", "mimetypes", "mmap",
    "modulefinder", "msvcrt", "multiprocessing", "netrc", "nis", "nntplib", "nt", "ntpath",
    "numbers", "opcode", "operator", "optparse", "os", "ossaudiodev", "pathlib", "pdb", "pickle",
    "pickletools", "pipes", "pkgutil", "platform", "plistlib", "poplib", "posix", "posixpath",
    "pprint", "profile", "pstats", "pty", "pwd", "py_compile", "pyclbr", "pydoc", "pydoc_data",
    "pyexpat", "queue", "quopri", "random", "re", "readline", "reprlib", "resource",
    "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve", "shlex",
    "shutil", "signal", "site", "smtpd", "smtplib", "sndhdr", "socket", "socketserver", "spwd",
    "sqlite3", "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics", "string",
    "stringprep", "struct", "subprocess", "sunau", "symtable", "sys", "sysconfig", "syslog",
    "tabnanny", "tarfile", "telnetlib", "tempfile", "termios", "textwrap", "threading", "time",
    "timeit", "tkinter", "token", "tokenize", "tomllib", "trace", "traceback", "tracemalloc",
    "tty", "turtle", "types", "typing", "unicodedata", "unittest", "urllib", "urllib2",
    "urlparse", "uu", "uuid", "venv", "warnings", "wave", "weakref", "webbrowser", "winreg",
    "winsound", "wsgiref", "xdrlib", "xml", "xmlrpc", "zipapp", "zipfile", "zipimport", "zlib",
    "zoneinfo",
];

/// Libraries that are often imported first and know nothing of GPUs, sorted.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "IPython", "PIL", "attr", "attrs", "click", "dotenv", "exceptiongroup", "future",
    "jsonschema", "loguru", "matplotlib", "numpy", "packaging", "pandas", "pkg_resources",
    "psutil", "pydantic", "pytest", "pytz", "regex", "requests", "rich", "ruamel", "scipy",
    "seaborn", "setuptools", "simplejson", "six", "soundfile", "tabulate", "toml", "tomli",
    "tqdm", "typer", "typing_extensions", "ujson", "urllib3", "yaml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_roots_count() {
        assert!(STANDARD.is_sorted() && OTHERS.is_sorted());
        assert!(is_harmless("os.path") && is_harmless("numpy"));
        for other in ["torch", "models", "cupy", "", "osx"] {
            assert!(!is_harmless(other), "{other}");
        }
    }
}
