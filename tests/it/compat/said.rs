//! What is said, and when nothing can be judged.
