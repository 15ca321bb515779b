"""`semafuzz nightly`: searches that go on from night to night, and the merge of machines."""
