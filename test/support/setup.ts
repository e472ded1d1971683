// Nothing may fail unseen: vitest turns every unhandled rejection and uncaught exception into a failed run.
