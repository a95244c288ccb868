//! Tells the linker what a Node addon needs on each platform, and writes the table of time zones.

#[path = "build/time_zones.rs"]
mod time_zones;

fn main() {
    napi_build::setup();
    time_zones::write();
}
