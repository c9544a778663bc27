fn main() -> std::process::ExitCode {
    migrator_xtask::main()
}
