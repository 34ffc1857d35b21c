"""What came out of a run, for people and for programs: tables, the bytes around a failure, JSON, JUnit, pages."""
