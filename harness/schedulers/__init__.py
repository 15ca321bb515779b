"""Search strategies: who runs next. One small class each."""
