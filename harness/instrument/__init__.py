"""Making accesses to shared data visible: rewriting of modules under test."""
