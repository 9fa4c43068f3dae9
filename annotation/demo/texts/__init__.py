"""The written material of the demo: Meridale Bank, its documents, customers and prompts.

Meridale Bank is fictional, and so are all people, fees and numbers here.
"""
