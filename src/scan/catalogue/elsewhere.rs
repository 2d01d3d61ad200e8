//! Calls whose `device=1` is no card, though the file uses the GPU: buses, cameras, instruments,
//! smart homes, tables with a column of that name, messages.

/// Root modules whose devices are not cards, or that only store and tell what they are given.
const MODULES: &[&str] = &[
    "PIL",
    "RPi",
    "adbutils",
    "aiohttp",
    "appium",
    "argparse",
    "bleak",
    "boto3",
    "broadlink",
    "can",
    "click",
    "collections",
    "csv",
    "dataclasses",
    "depthai",
    "django",
    "flask",
    "frida",
    "ftd2xx",
    "gpiozero",
    "hidapi",
    "homeassistant",
    "httpx",
    "inputs",
    "json",
    "kasa",
    "keyboard",
    "logging",
    "loguru",
    "matplotlib",
    "mido",
    "miio",
    "mouse",
    "mss",
    "netmiko",
    "nidaqmx",
    "numpy",
    "os",
    "paho",
    "pandas",
    "picamera",
    "picamera2",
    "plotly",
    "polars",
    "ppadb",
    "psutil",
    "pyautogui",
    "pychromecast",
    "pylibftdi",
    "pymodbus",
    "pymongo",
    "pynput",
    "pypylon",
    "pyrealsense2",
    "pyshark",
    "pyudev",
    "pyvisa",
    "redis",
    "requests",
    "rich",
    "scapy",
    "seaborn",
    "shutil",
    "smbus2",
    "sqlalchemy",
    "sqlite3",
    "structlog",
    "subprocess",
    "threading",
    "types",
    "uiautomator2",
    "uinput",
    "usb1",
    "vlc",
    "websockets",
    "zigpy",
    "zmq",
];

/// Words that tell it in the name of an unknown call.
const WORDS: &[&str] = &[
    "adb",
    "android",
    "bluetooth",
    "cursor",
    "evdev",
    "gamepad",
    "gpio",
    "hass",
    "joystick",
    "keyboard",
    "logger",
    "midi",
    "mouse",
    "mqtt",
    "printer",
    "sensor",
    "smbus",
    "usb",
    "webcam",
];

/// Functions and methods that store, look up or tell what they are given.
const FUNCTIONS: &[&str] = &[
    "DataFrame",
    "Event",
    "Namespace",
    "Row",
    "SimpleNamespace",
    "annotate",
    "assign",
    "bind",
    "create",
    "dict",
    "emit",
    "exclude",
    "execute",
    "filter",
    "filter_by",
    "get_or_create",
    "groupby",
    "insert",
    "insert_one",
    "log",
    "order_by",
    "plot",
    "publish",
    "query",
    "render",
    "scatter",
    "send",
    "turn_off",
    "turn_on",
    "update",
    "update_or_create",
    "where",
];

/// Whether a call of `path`, of no GPU library, takes a device that is no card.
pub(super) fn is_elsewhere(path: &str) -> bool {
    let root = path.split(['.', '(']).next().unwrap_or_default();
    let last = path.rsplit('.').next().unwrap_or(path);
    if MODULES.binary_search(&root).is_ok()
        || FUNCTIONS
            .binary_search(&last.trim_start_matches('?'))
            .is_ok()
    {
        return true;
    }
    // Messages of protocol buffers.
    if path.contains("_pb2.") {
        return true;
    }
    let path = path.to_ascii_lowercase();
    WORDS.iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_search() {
        assert!(MODULES.is_sorted() && FUNCTIONS.is_sorted());
        for path in [
            "pyudev.Devices.from_path",
            "?df.assign",
            "dict",
            "MidiInput",
            "?mqtt.publish",
            "inference_pb2.Model",
        ] {
            assert!(is_elsewhere(path), "{path}");
        }
        for path in ["load_model", "models.Pipeline", "?self.run", "build"] {
            assert!(!is_elsewhere(path), "{path}");
        }
    }
}
